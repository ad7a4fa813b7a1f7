"""What a recipe says about labels."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from benforge.errors import RecipeError

Policy = Literal["presence", "pixel-centre", "minimum-share"]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class LabelRecipe(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How shares become labels; the defaults are those of BigEarthNet v2.

    Args:
        nomenclature: what labels are called: clc-43, ben-19, clc-level-2, clc-level-1 or a TOML
            file with classes and `members`. Fidelity rules 11 and 12.
        policy: which classes of a patch are its labels. "presence": any intersection, however
            small (rule 13, v1); "pixel-centre": at least one centre of a 10 m pixel (rule 14,
            v2); "minimum-share": at least `minimum_share` of the area.
        minimum_share: for that policy alone. Rule 13 says how much it matters.
        max_unlabelled: a patch is dropped if this share or more of it has no label, be it a gap
            of the map or a dropped class (rule 14: 0.25 in v2); 1 drops only patches without
            any class, as v1 does.
        code_field: the land-cover map's field of codes, where it cannot be told.
        layer: the land-cover map's layer, likewise.
        countries: a patch lies in the nearest of these Natural Earth countries (rule 17); none
            means any country of the world.

    Raises:
        RecipeError: a minimum share without its policy, or the reverse.
    """

    nomenclature: str = "ben-19"
    policy: Policy = "pixel-centre"
    minimum_share: Share = 0.0
    max_unlabelled: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.25
    code_field: str | None = None
    layer: str | None = None
    countries: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if (self.policy == "minimum-share") != (self.minimum_share > 0):
            raise RecipeError(
                f"policy {self.policy!r} does not go with minimum_share {self.minimum_share:g}",
                where="labels",
                do='Set policy = "minimum-share" and a minimum_share above 0 together',
            )
