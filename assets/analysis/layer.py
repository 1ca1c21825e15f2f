"""Every analysis asset, module by module.

Belongs here: the list. Does not belong here: any asset.
"""

import dagster as dg

from assets.analysis import alliance, clinicians, comparison, couples, endings, measures

ASSETS: list[dg.AssetsDefinition] = [
    *measures.ASSETS,
    *alliance.ASSETS,
    *clinicians.ASSETS,
    *comparison.ASSETS,
    *endings.ASSETS,
    *couples.ASSETS,
]
