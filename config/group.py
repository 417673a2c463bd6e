"""What every group of settings is: frozen, closed to unknown keys, described in place."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field

Text = Annotated[str, Field(min_length=1)]


class Group(BaseModel):
    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        allow_inf_nan=False,
        # A file is judged as a whole, by one validator that knows all groups. That each of them
        # had one of its own, with those of the groups inside it, cost megabytes.
        defer_build=True,
    )

    @classmethod
    def untouched(cls) -> Self:
        """Every setting at its default, which nobody needs to judge."""
        return cls.model_construct()  # type: ignore[return-value]  # the plugin says `Group`
