#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Makes the data, trains the shipped models and writes them to models/. Names of models
# as arguments train these alone. Needs Go, python3-torch and python3-onnx (Debian 12).
#
#   PYTHON   the interpreter that has torch (default: the system's)
#   DATA     where the data goes, about 1.6 GB (default: build/train)
#   THREADS  threads to train with (default: 1, which makes the shipped models again)
set -eu
cd "$(dirname "$0")/../.."
data=${DATA:-build/train}
go run ./models/train/makedata -out "$data"
"${PYTHON:-/usr/bin/python3}" models/train/train.py --data "$data" --models models --threads "${THREADS:-1}" "$@"
