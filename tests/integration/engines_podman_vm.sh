#!/usr/bin/env bash
# podman with trine-oci as its runtime, and an annotation by which each of its containers is a VM.
TRINE_TEST_CLASS=vm exec "$(dirname "$0")/engines_podman.sh"
