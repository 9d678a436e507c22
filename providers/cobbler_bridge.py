"""Our snippets in Cobbler 4.0, where a snippet is a template item. Part of cobbler-bridge.

Cobbler asks every module of its templates package for the templates that are built in. Nothing
else of cobbler-bridge is imported here: an error would keep cobblerd from starting.
"""

import logging
import os
from typing import Any, Dict, List

from cobbler import enums
from cobbler.data.templates import cheetah
from cobbler.items.template import Template
from cobbler.templates import BaseTemplateProvider

SNIPPETS = (
    "bridge_network",
    "bridge_packages",
    "bridge_records",
    "bridge_setup",
    "cobbler_bridge_records",
    "cobbler_bridge_setup",
)


class CobblerBridge(BaseTemplateProvider):  # type: ignore[misc]
    """The provider of our templates, which are written in Cheetah."""

    template_language = "cobbler_bridge"

    @property
    def built_in_templates(self) -> List[Any]:
        """The snippets, by the names that they have with every Cobbler."""
        try:
            return [self._template(name) for name in SNIPPETS]
        except Exception:
            logging.getLogger(__name__).exception("cobbler-bridge: no templates")
            return []

    def _template(self, name: str) -> Any:
        path = os.path.join(next(iter(cheetah.__path__)), "autoinstall/snippets", name)
        uri = {"schema": enums.TemplateSchema.IMPORTLIB.value, "path": path}
        tags = {enums.TemplateTag.DEFAULT.value}
        return Template(self.api, name=name, uri=uri, template_type="cheetah", tags=tags)

    def render(self, raw_data: str, search_table: Dict[str, Any]) -> str:
        """No template is of this type; one that was said to be is written in Cheetah too."""
        return str(self.api.templar.render(raw_data, search_table, None, "cheetah"))
