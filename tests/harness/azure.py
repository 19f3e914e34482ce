"""A storage account as clients see it: its address, its SAS URLs, the Python client."""
import dataclasses
import datetime

EVERYTHING = "racwdl"


@dataclasses.dataclass(frozen=True)
class Account:
    name: str
    key: str
    endpoint: str  # path style, without a trailing slash

    @property
    def connection_string(self) -> str:
        """What Microsoft's SDKs and CLIs take."""
        return (f"DefaultEndpointsProtocol=http;AccountName={self.name};AccountKey={self.key};"
                f"BlobEndpoint={self.endpoint};")

    def at_port(self, port: int):
        """The same account, reached through a proxy on that port of loopback."""
        return dataclasses.replace(self, endpoint=f"http://127.0.0.1:{port}/{self.name}")

    def client(self, **options):
        """azure.storage.blob's BlobServiceClient under Shared Key; `options` are its own, e.g. retry_total=0."""
        from azure.storage.blob import BlobServiceClient
        return BlobServiceClient.from_connection_string(self.connection_string, **options)

    def container_url(self, container: str, path: str = "", permissions: str = EVERYTHING, minutes: int = 120) -> str:
        """The URL of a container or of what is below it, under a container SAS."""
        from azure.storage.blob import generate_container_sas
        sas = generate_container_sas(self.name, container, account_key=self.key, permission=permissions,
                                     expiry=_in(minutes), start=_in(-5))
        return f"{self.endpoint}/{container}{'/' if path else ''}{path}?{sas}"

    def account_url(self, container: str, path: str = "", permissions: str = EVERYTHING, minutes: int = 120) -> str:
        """The same under an account SAS for the Blob service."""
        from azure.storage.blob import generate_account_sas
        sas = generate_account_sas(self.name, self.key, resource_types="sco", permission=permissions,
                                   expiry=_in(minutes), start=_in(-5), services="b")
        return f"{self.endpoint}/{container}{'/' if path else ''}{path}?{sas}"


def _in(minutes: int) -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=minutes)
