"""Keeps libraries from reporting to their makers. Imported before all else, by `mira/__init__.py`.

onnxruntime connects to Microsoft within ten seconds of being imported and keeps a device id in the
home folder; openvino calls Google Analytics and does the same. Both decide when they are imported,
so this acts when it is. Child processes inherit it.
"""

import os
import sys

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
# openvino does without this package where it can't be imported, and has no other switch.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
