"""Keeps libraries from reporting to their makers. Imported before all else, by `mira/__init__.py`.

onnxruntime connects to Microsoft within ten seconds of being imported and keeps a device id in the
home folder; openvino calls Google Analytics and does the same. huggingface_hub, which transformers
uses too, asks the hub for a list of other programs and keeps it in the home folder, to say which of
them runs it, and which PyTorch is installed. All decide when they are imported, so this acts when
it is. Child processes inherit it.
"""

import os
import sys

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
# openvino does without this package where it can't be imported, and has no other switch.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
