"""``python -m authsvc``: the same commands as the console script ``authsvc``."""

from authsvc.cli import main

main()
