"""Why one value cannot be converted, on its way to a diagnostic at the position of the value."""


class WrongValue(Exception):
    """A value cannot be converted. ``help`` says what to do."""

    def __init__(self, summary: str, detail: str, help: str = "") -> None:
        self.summary = summary
        self.detail = detail
        self.help = help
        super().__init__(detail)
