#!/usr/bin/env python3
"""Attaches signatures to an image in a registry as cosign does: attach.py HOST REPOSITORY DIGEST [LAYER]...

A LAYER is PAYLOAD=SIGNATURE, or PAYLOAD=SIGNATURE=MEDIATYPE: files with the signed text and the signature in base64.
Those that were attached before are replaced.
"""

import hashlib
import json
import sys
import urllib.request

SIGNED = "application/vnd.dev.cosign.simplesigning.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def send(method, url, body, kind):
    request = urllib.request.Request(url, body, {"Content-Type": kind}, method=method)
    with urllib.request.urlopen(request) as answer:
        return answer.headers


def upload(base, data):
    digest = "sha256:" + hashlib.sha256(data).hexdigest()
    location = send("POST", f"{base}/blobs/uploads/", b"", "application/octet-stream")["Location"]
    send("PUT", f"{location}{'&' if '?' in location else '?'}digest={digest}", data, "application/octet-stream")
    return {"digest": digest, "size": len(data)}


host, repository, digest, *layers = sys.argv[1:]
base = f"http://{host}/v2/{repository}"
manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "layers": []}
manifest["config"] = {"mediaType": "application/vnd.oci.image.config.v1+json", **upload(base, b"{}")}
for layer in layers:
    payload, signature, *kind = layer.split("=")
    with open(payload, "rb") as text, open(signature, encoding="ascii") as signed:
        blob = {"mediaType": kind[0] if kind else SIGNED, **upload(base, text.read())}
        blob["annotations"] = {"dev.cosignproject.cosign/signature": signed.read().strip()}
    manifest["layers"].append(blob)
send("PUT", f"{base}/manifests/{digest.replace(':', '-')}.sig", json.dumps(manifest).encode(), MANIFEST)
