"""Many small blobs in a short time, by plain HTTP under a SAS: what listings are tried on."""
import http.client
import threading
import urllib.parse

from .azure import Account

CONNECTIONS = 8


def make_many(account: Account, container: str, count: int) -> list[str]:
    """A new container with so many blobs in folders of a hundred, "a/042/04217". Their names, in the order of listings."""
    names = [f"a/{number // 100:03}/{number:05}" for number in range(count)]
    account.client().create_container(container)
    put_blobs(account, container, names)
    return names


def put_blobs(account: Account, container: str, names: list[str]):
    """Puts a blob of each name, its bytes the name itself. The container must exist."""
    url = urllib.parse.urlsplit(account.container_url(container))
    failed: list[str] = []

    def put(mine: list[str]):
        connection = http.client.HTTPConnection(url.hostname, url.port, timeout=60)
        try:
            for name in mine:
                connection.request("PUT", f"{url.path}/{urllib.parse.quote(name)}?{url.query}", body=name.encode(),
                                   headers={"x-ms-blob-type": "BlockBlob"})
                answer = connection.getresponse()
                answer.read()
                if answer.status != 201:
                    failed.append(f"{name}: {answer.status}")
        except (OSError, http.client.HTTPException) as error:
            failed.append(repr(error))
        finally:
            connection.close()

    threads = [threading.Thread(target=put, args=(names[start::CONNECTIONS],)) for start in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise AssertionError(f"{len(failed)} blobs were not put, first {failed[0]}")
