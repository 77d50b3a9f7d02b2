"""``python -m authsvc``: the same commands as the console script ``authsvc``."""

from authsvc.cli import main
from authsvc.cli.completion import VARIABLE

main(complete_var=VARIABLE)
