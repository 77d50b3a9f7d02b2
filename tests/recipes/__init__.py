"""Each recipe of docs/other-services.md and docs/proxies.md, run as a reader would run it."""

import pytest

pytest.register_assert_rewrite("tests.recipes.contract")
