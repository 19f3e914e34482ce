"""A certificate authority of the test's own, made with the openssl command."""
import pathlib
import subprocess


class Authority:
    """`ca` is the file to trust. issue() makes certificates that it signs."""

    def __init__(self, folder: pathlib.Path):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.ca, self.key = folder / "ca.pem", folder / "ca.key"
        self._openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
                      "-subj", "/CN=tombolo test authority", "-keyout", self.key, "-out", self.ca)

    def issue(self, name: str, alternatives: list[str], days: int = 30) -> tuple[pathlib.Path, pathlib.Path]:
        """Files of a certificate with its chain, and of its key. `alternatives`: "DNS:a.b", "IP:127.0.0.1"."""
        certificate, key = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        request, extensions = self.folder / f"{name}.csr", self.folder / f"{name}.ext"
        extensions.write_text(f"subjectAltName={','.join(alternatives)}\n")
        self._openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
                      "-keyout", key, "-out", request)
        self._openssl("x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", self.key, "-CAcreateserial", "-days",
                      days, "-extfile", extensions, "-out", certificate)
        certificate.write_bytes(certificate.read_bytes() + self.ca.read_bytes())
        key.chmod(0o600)
        return certificate, key

    @staticmethod
    def _openssl(*arguments):
        subprocess.run(["openssl", *(str(a) for a in arguments)], check=True, capture_output=True, timeout=60)
