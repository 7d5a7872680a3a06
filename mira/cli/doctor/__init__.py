"""What this machine has, what Mira would use of it, and what is missing."""

from mira.cli.doctor.command import doctor
from mira.cli.doctor.examine import examine

__all__ = ["doctor", "examine"]
