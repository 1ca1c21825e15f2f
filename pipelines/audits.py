"""Two looks at what the clone itself holds: known weaknesses of the locked packages, and secrets in files under git.

Belongs here: running the two tools and saying in one line what they found. Does not belong here: what a clinic's data hold
(`assets.feeds.identifier_search`).
"""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from pipelines.environment import ROOT

# Hashes are what a lock, a manifest and a test of hashing are made of; entropy would find nothing else here.
_NOT_BY_ENTROPY = ("HexHighEntropyString", "Base64HighEntropyString", "KeywordDetector")
_NOT_TEXT = r"requirements\.lock|\.(?:csv|json|svg|png|parquet|min\.js|woff2)$"
_PATIENCE = 300


@dataclass(frozen=True, kw_only=True)
class Audit:
    """What one look found.

    Attributes:
        sentence: one line for the terminal.
        is_clean: whether nothing was found; a look that could not be taken is clean and says so.
        found: one line each.
    """

    sentence: str
    is_clean: bool
    found: tuple[str, ...] = ()


def audits() -> list[Audit]:
    """Both looks, in turn."""
    return [audit_packages(ROOT / "requirements.lock"), search_for_secrets(ROOT)]


def audit_packages(lock: Path) -> Audit:
    """Ask the advisory service about every locked package."""
    here = Path(sys.executable).parent
    command = [str(here / "pip-audit"), "-r", str(lock), "--disable-pip", "--require-hashes", "-f", "json"]
    try:
        done = subprocess.run(
            [*command, "--progress-spinner", "off", "--timeout", "10"],
            capture_output=True,
            text=True,
            check=False,
            timeout=_PATIENCE,
        )
        packages = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError, subprocess.TimeoutExpired):
        return Audit(sentence="pip-audit: NOT AUDITED, the advisory service can't be reached", is_clean=True)
    weak = tuple(
        f"{package['name']} {package['version']}: {', '.join(weakness['id'] for weakness in package['vulns'])}"
        for package in packages
        if package.get("vulns")
    )
    unknown = sum("skip_reason" in package for package in packages)
    if unknown == len(packages):
        return Audit(sentence="pip-audit: NOT AUDITED, the advisory service answers for no package", is_clean=True)
    told = f"; {unknown} of {len(packages)} packages NOT AUDITED, the advisory service does not answer for them"
    if weak:
        return Audit(sentence="pip-audit: FAILED" + (told if unknown else ""), is_clean=False, found=weak)
    return Audit(sentence="pip-audit: clean" + (told if unknown else ""), is_clean=True)


def search_for_secrets(root: Path) -> Audit:
    """Look through every text file under git for keys and passwords."""
    here = Path(sys.executable).parent
    command = [str(here / "detect-secrets"), "scan", "--exclude-files", _NOT_TEXT]
    for plugin in _NOT_BY_ENTROPY:
        command += ["--disable-plugin", plugin]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return Audit(sentence="detect-secrets: FAILED", is_clean=False, found=(done.stderr.strip(),))
    results = json.loads(done.stdout)["results"]
    found = tuple(
        f"{each['filename']}:{each['line_number']}: {each['type']}" for file in results.values() for each in file
    )
    return Audit(sentence=f"detect-secrets: {'FAILED' if found else 'clean'}", is_clean=not found, found=found)
