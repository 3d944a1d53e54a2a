#pragma once

#include <string>

/// Keys and what openssl signed with them, over kSignedText and SHA-256: a signature for h.example/web:1 on
/// the manifest sha256:aaaa….
namespace trine::test {

inline const std::string kSignedDigest = "sha256:" + std::string(64, 'a');
inline const std::string kSignedText =
    R"({"critical":{"identity":{"docker-reference":"h.example/web:1"},"image":{"docker-manifest-digest":")" +
    kSignedDigest + R"("},"type":"cosign container image signature"},"optional":null})";

inline const std::string kP256Key =
    "-----BEGIN PUBLIC KEY-----\n"
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAESmVNE68z13IGkUNwQWwLlLK99j+u\n"
    "QzFe71AHi5FbKO0X3XDQvNdQZQqC/HPHu45ser72IaPZH0/2UKRoPYm1rA==\n"
    "-----END PUBLIC KEY-----\n";
inline const std::string kP384Key =
    "-----BEGIN PUBLIC KEY-----\n"
    "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEZT2kdsDn7MgV68lxhcYGnA9QsG+zmY11\n"
    "wqO+MDQ5uig6BIBuY9JoULntVFLUTWVyccOCTY5esoyPujmtx8akYpNa76oocB5b\n"
    "RPIF/aNGW84BtH8T6nPEZS5FbqElZaga\n"
    "-----END PUBLIC KEY-----\n";
inline const std::string kP521Key =
    "-----BEGIN PUBLIC KEY-----\n"
    "MIGbMBAGByqGSM49AgEGBSuBBAAjA4GGAAQAh4g6Pr9eWYlt0N+vIVOY1rzOeKKR\n"
    "uxbUwYaD1+V8LwjhbBZw1a9Rlo6nIRPzR1k3iOayT3lK4fKCvOgq2KtbQ5EBR85D\n"
    "gWdvs+D/q9t3pZG5P7JMFGIa5hgI1IRmhR6tj706JlJuzYwS0X1waeicdkkdLTpQ\n"
    "mCbJGogLGL7x2W4+WZM=\n"
    "-----END PUBLIC KEY-----\n";
inline const std::string kRsaKey =
    "-----BEGIN PUBLIC KEY-----\n"
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA1DGFGNBKPiLBnVGLdWMz\n"
    "tK2XqBWPhd0MhHoeq1Cse+LgidMI4hESAM7OUpSeaNngDYpQmw2WBYUlp06ZBURP\n"
    "piEGdTUYky0LIFAflkrgV0GP+1Wya6c2fHOmUwzxd0lTtKUxnr2tghXjLin0ZJ5t\n"
    "nuCq6++3cw1Ew/+uN5wNqVWZqCoxkD4Suh/RwYYuxguhqcSJqt0LTMNJTDQJbyVw\n"
    "oBggZja6wUOHAGawRAQHnOxbEFIUTh11P8cOPgsFB8UTNIcypmSFgBGcbuDlKMTI\n"
    "REYFjMidOZr4q9mXvvpc52z19gUUmeAEhIv/9OPDk25HzDbCdzuHmM7YBR0422IM\n"
    "uQIDAQAB\n"
    "-----END PUBLIC KEY-----\n";
inline const std::string kRsaPkcs1Key =
    "-----BEGIN RSA PUBLIC KEY-----\n"
    "MIIBCgKCAQEA1DGFGNBKPiLBnVGLdWMztK2XqBWPhd0MhHoeq1Cse+LgidMI4hES\n"
    "AM7OUpSeaNngDYpQmw2WBYUlp06ZBURPpiEGdTUYky0LIFAflkrgV0GP+1Wya6c2\n"
    "fHOmUwzxd0lTtKUxnr2tghXjLin0ZJ5tnuCq6++3cw1Ew/+uN5wNqVWZqCoxkD4S\n"
    "uh/RwYYuxguhqcSJqt0LTMNJTDQJbyVwoBggZja6wUOHAGawRAQHnOxbEFIUTh11\n"
    "P8cOPgsFB8UTNIcypmSFgBGcbuDlKMTIREYFjMidOZr4q9mXvvpc52z19gUUmeAE\n"
    "hIv/9OPDk25HzDbCdzuHmM7YBR0422IMuQIDAQAB\n"
    "-----END RSA PUBLIC KEY-----\n";
inline const std::string kEd25519Key =
    "-----BEGIN PUBLIC KEY-----\n"
    "MCowBQYDK2VwAyEAmkOb/HMukVV26TTV5uaBGD+4sezF7w2RP9odqxSXUB8=\n"
    "-----END PUBLIC KEY-----\n";
inline const std::string kKoblitzKey =
    "-----BEGIN PUBLIC KEY-----\n"
    "MFYwEAYHKoZIzj0CAQYFK4EEAAoDQgAEzwD4U2pMXT31ci+5W6s8iV3/BUekZ4wS\n"
    "Lfxb4zL/QEHmg5x6AX2WknGbFXQLWChehxeQWtV+5wp5hLryZapCSg==\n"
    "-----END PUBLIC KEY-----\n";
inline const std::string kWeakRsaKey =
    "-----BEGIN PUBLIC KEY-----\n"
    "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQC+hH5gfaVTHGZUomgNG5jT5ePc\n"
    "3XfSk+A3izXdTSzdKbi2PdhKsfObT+cWfSf15qKanYA3dHTZHPxSaFe9JK6Go6ay\n"
    "aAACnYQodAhZK+nQg2g/u7p4zbLVY8uRLiK9G0lxLIcz8o+pn+waNBVJAfT/wW89\n"
    "XGIeTJNPPF0rM6H49wIDAQAB\n"
    "-----END PUBLIC KEY-----\n";

// In base64.
inline const std::string kP256Signature =
    "MEYCIQCy8gYRzsdj8kuoGGsx2KdxunOLaX1qfu/eLJcl57vl+QIhAIzpxa7Obnpw9w4/QXcrcegpj2GxMs/GYcrVrEdfKeD3";
inline const std::string kP384Signature =
    "MGUCMHyjmlhUTTNpTtE4vGVJSxGbFcoI1FEOmIzzy1kI7ALtUm4QLTLwKAwbNUWrmU6ZLAIxAN6OSV+8UshffSWbUqQOuB1v"
    "zjugSCINkvWi3xhGp4Z5Hma37YScVqtSJVft10WpAw==";
inline const std::string kP521Signature =
    "MIGIAkIA/G6X6kseZdcZWZdbXoTzMf8cWD1cgoGenrIDEReLjY9qTIuKaFvgFIndKdn6N5jMD+bxYePgrZ3ENNlbWufYe68C"
    "QgFCjxIZg4uP7bKQ+T2vVjQmG1isiekJZ9cs3Rh6Rpl2TbmhVF2Jhz3QWYjf8m8yEWHq/UVwjb0r+22uiZE4pbfxqw==";
inline const std::string kRsaSignature =
    "rtYWKlMD8YBrV1iOauna/Ccg1maGcpcurTHsEbVrDRzu9XBTz6hidu8u1fOqKa8YyUi6NDMq0DbKk3R5iOwixrE8Xed28Fcu"
    "pPEAaQaxovn0Hp84URR7FgvRhurEo/uxRQK14LpsnKjU8BkA86v2AnetZBsfsulj6VBoQ0tw6CoLfDxDbo4GlkqjDb9BxGFj"
    "lOldmy4jBTXoJwkLcfePSGdQEIcN1L96+zv3b3oQEeegWMtFD7PMmNWUycEASMRnTZKQfYia838GXcy9fZuiDLw4h1mhF6+B"
    "wDobGtXAXNm0HajMwEcHkD8xSfyA8tWLaUvlXEv5EAIjna98IKLxgQ==";
inline const std::string kRsaPssSignature =
    "0jTAcyNxv/A81+FIjC6XAnARc3K2DZGhq297b805NpaEzlb8y80b+bl0nhdfuJC3AzetXVcDwtG6FcSHLkcboLplk/i58DfW"
    "KFz3OlXxYY+M7TMAiCz/HJIEMtsRTivsSFtDUWjQbET2FtNlM5MPDmNQ21hRUWygkUXyJAMvQUMrMYf23ZvDQG2IzbPcjhWO"
    "LEPKSTBWua8B/HNgUFctFIk4zetiDFhWax548ePr/rGW6vwlCvp3RNkH0nnpbkzcYgISD6eqhMsVQ9wLM0k7fy5VKZMRb86J"
    "u1skB+8kmmXVzgO5S6SRJfMaxGLMb1i0fWWDa5TVTM4iAWbGcvChUw==";
inline const std::string kEd25519Signature =
    "kEPOyH0w6iUjOI1hOs0VqtrdScOkdTPnRsjlWwa53OLfO9Lw+mgkTN+EEnGtABio/ZLxCXGOo3DxGGUFQKxtBw==";

}  // namespace trine::test
