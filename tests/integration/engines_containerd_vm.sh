#!/usr/bin/env bash
# containerd with trine-oci as its runtime, and an annotation by which each of its containers is a VM.
TRINE_TEST_CLASS=vm exec "$(dirname "$0")/engines_containerd.sh"
