"""An operator, who runs commands."""

from click.testing import CliRunner, Result

from authsvc.cli import main
from tests.support.running_service import environment


class Operator:
    """Args: database_url: the database of the commands; settings: more settings, in lower case."""

    def __init__(self, database_url: str, **settings: str) -> None:
        self.environment = environment(database_url, **settings)

    def run(self, *words: str, typed: str = "") -> Result:
        return CliRunner(env=self.environment).invoke(main, words, input=typed)
