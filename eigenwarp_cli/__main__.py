"""``python -m eigenwarp_cli``: the ``eigenwarp`` command, for processes that start others of their own installation."""

from eigenwarp_cli.main import app

if __name__ == "__main__":
    app(prog_name="eigenwarp")
