#!/usr/bin/env python3
"""Get and Set Blob Service Properties through Microsoft's Python client: read, changed section by section, kept."""
from azure.core.exceptions import HttpResponseError
from azure.storage.blob import BlobAnalyticsLogging, CorsRule, Metrics, RetentionPolicy, StaticWebsite

from harness import raw, suite
from harness.case import TempCase
from harness.tombolo import Tombolo


class ServiceProperties(TempCase):
    def setUp(self):
        super().setUp()
        self.server = Tombolo(self.folder / "server").start()
        self.addCleanup(self.server.kill9)
        self.service = self.server.account.client(retry_total=0)

    def test_a_fresh_account_has_everything_disabled(self):
        found = self.service.get_service_properties()
        log = found["analytics_logging"]
        self.assertEqual((log.version, log.read, log.write, log.delete), ("1.0", False, False, False))
        self.assertFalse(log.retention_policy.enabled)
        for metrics in (found["hour_metrics"], found["minute_metrics"]):
            self.assertFalse(metrics.enabled)
            self.assertFalse(metrics.retention_policy.enabled)
        self.assertEqual(found["cors"], [])
        self.assertIsNone(found["target_version"])
        self.assertFalse(found["delete_retention_policy"].enabled)
        self.assertFalse(found["static_website"].enabled)

    def test_what_is_set_is_kept_over_a_restart(self):
        self.service.set_service_properties(
            analytics_logging=BlobAnalyticsLogging(retention_policy=RetentionPolicy(enabled=True, days=5)),
            hour_metrics=Metrics(enabled=False), minute_metrics=Metrics(enabled=False), cors=[],
            target_version="2020-10-02", delete_retention_policy=RetentionPolicy(enabled=False),
            static_website=StaticWebsite(enabled=False))
        self.service.set_service_properties(cors=[])
        self.server.kill9()
        self.server.start()
        found = self.service.get_service_properties()
        self.assertEqual(found["target_version"], "2020-10-02")
        self.assertEqual(found["analytics_logging"].retention_policy.days, 5)
        # As a tool does that reads all, changes one thing and writes all.
        found["target_version"] = "2021-06-08"
        self.service.set_service_properties(**found)
        self.assertEqual(self.service.get_service_properties()["target_version"], "2021-06-08")
        self.service.create_container("box").upload_blob("a", b"a")
        url = self.server.account.container_url("box", "a")
        answer = raw.exchange(self.server.port, f"GET {url[url.index('/', 8):]} HTTP/1.1\r\nHost: h\r\n\r\n".encode())
        self.assertEqual((answer.status, answer.headers["x-ms-version"]), (200, "2021-06-08"))
        self.assertEqual(self.server.cli("fsck")["findings"], [])

    def test_what_is_not_built_is_refused_and_nothing_is_kept_of_it(self):
        before = self.service.get_service_properties()
        for wanted in ({"delete_retention_policy": RetentionPolicy(enabled=True, days=7)},
                       {"static_website": StaticWebsite(enabled=True, index_document="index.html")},
                       {"cors": [CorsRule(["*"], ["GET"])]},
                       {"hour_metrics": Metrics(enabled=True, include_apis=True)},
                       {"analytics_logging": BlobAnalyticsLogging(read=True)}):
            with self.assertRaises(HttpResponseError) as caught:
                self.service.set_service_properties(target_version="2020-10-02", **wanted)
            self.assertEqual((caught.exception.status_code, caught.exception.error_code), (400, "UnsupportedXmlNode"))
            self.assertIn("not built yet", caught.exception.message)
        self.assertEqual(str(self.service.get_service_properties()["target_version"]), str(before["target_version"]))

    def test_stats_belong_to_a_secondary_that_is_not_there(self):
        target = f"/{self.server.account.name}/?restype=service&comp=stats"
        answer = raw.exchange(self.server.port, raw.signed(self.server.account, "GET", target, {}))
        self.assertEqual((answer.status, answer.code), (400, "InvalidQueryParameterValue"))


if __name__ == "__main__":
    suite.main()
