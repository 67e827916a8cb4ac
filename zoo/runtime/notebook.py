"""Objects that show themselves in a notebook; what draws them lies in other rooms and is loaded when it is needed."""

from __future__ import annotations

from importlib import import_module
from typing import Final

#: class -> the function that draws it, module:name
DRAWINGS: Final = {
    "IndexSummary": "affinity_zoo.zoo.api.shown:index_html",
    "RunFolder": "affinity_zoo.zoo.api.shown:run_html",
    "Result": "affinity_zoo.zoo.api.shown:result_html",
    "Explanation": "affinity_zoo.zoo.api.shown:explanation_html",
}


class ShownInNotebooks:
    """Base class of results that a notebook draws instead of printing them."""

    def _repr_html_(self) -> str:
        """Return HTML, for a notebook.

        Returns:
            A fragment that needs neither a network nor a style sheet of its surroundings.
        """
        drawing = next(DRAWINGS[one.__name__] for one in type(self).__mro__ if one.__name__ in DRAWINGS)
        module, _, name = drawing.partition(":")
        return str(getattr(import_module(module), name)(self))
