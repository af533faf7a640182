# SPDX-License-Identifier: GPL-3.0-or-later
"""
The WSUS upstream server as a downstream server sees it: authorization,
metadata and deployments, [MS-WSUSSS] 3.1.4.1 to 3.1.4.12.  The examples of the
specification, samples 1, 2 and 4, are replayed; python3-zeep makes the same
calls from the specification's WSDL.
"""

import base64
import concurrent.futures
import datetime
import hashlib
import http.client
import json
import os
import re
import subprocess
import tempfile
import threading
import uuid
import xml.etree.ElementTree as ElementTree

import pytest

import server as servers

SYNC = "/ServerSyncWebService/ServerSyncWebService.asmx"
AUTH = "/DssAuthWebService/DssAuthWebService.asmx"
NS = "http://www.microsoft.com/SoftwareDistribution"
AUTH_NS = NS + "/Server/DssAuthWebService"
ENVELOPES = {"1.1": "http://schemas.xmlsoap.org/soap/envelope/",
             "1.2": "http://www.w3.org/2003/05/soap-envelope"}
WSDL = os.path.join(os.environ.get("EVENLOG_SHARED",
                                   os.path.join(servers.SOURCE, "..",
                                                "shared")), "data", "wsdl")

# Ids of the specification's samples.
DSS = "ADB2FE48-0B2E-451e-8FC8-44B29845B0C6"
DSS_NAME = "HemantTest.redmond.microsoft.com"
CLASSIFICATION = "0287014e-6772-4b4d-81f7-42063ac26e8a"
PRODUCT = "ff2a96fb-cc89-4e5e-83b2-7d48aa179840"
LARGE = "0fa1201d-4330-4fa8-8ae9-b877473b6441"
DETECTOID = "17e993cd-cf5a-4276-9944-6af62ff7139c"
SECOND = "36b1c48e-c741-4047-9b09-d38698ed34b3"
DEPLOYED = ["4b62aa32-52f6-4c15-b739-1c8e696eb33e",
            "52bdd083-4169-4094-8eea-6230c7c1520d"]
UNASSIGNED = "b73ca6ed-5727-47f3-84de-015e03f6a88a"
ALL_COMPUTERS = "a0a08746-4dbe-4a37-9adf-9e7652c0b421"
HIDDEN = ["9a9bafe2-fbfc-4b0b-8479-49a2bb08cd5a",
          "6c9d9217-0e1d-434a-a938-d9918703c361"]
DIGEST = base64.b64encode(hashlib.sha1(b"a file").digest()).decode()
URL = "http://download.example/c/file.cab"

# It begins in the section [wsus].
CONFIG = ("compress = yes\n"
          "[listener dss]\nserve = wsus\naddress = 127.0.0.1\nport = 0\n")


# ------------------------------------------------------------- the catalogue

def metadata(identity, revision, kind="Software", inside="", title="An update"):
    return (
        '<upd:Update xmlns:upd="http://schemas.microsoft.com/msus/2002/12/'
        f'Update"><upd:UpdateIdentity UpdateID="{identity}" '
        f'RevisionNumber="{revision}"/><upd:Properties UpdateType="{kind}"/>'
        "<upd:LocalizedPropertiesCollection><upd:LocalizedProperties>"
        f"<upd:Language>en</upd:Language><upd:Title>{title}</upd:Title>"
        "</upd:LocalizedProperties></upd:LocalizedPropertiesCollection>"
        f"{inside}</upd:Update>")


def category_type(name):
    return ("<upd:HandlerSpecificData><cat:CategoryInformation "
            'xmlns:cat="http://schemas.microsoft.com/msus/2002/12/'
            f'UpdateHandlers/Category" CategoryType="{name}"/>'
            "</upd:HandlerSpecificData>")


def member_of(*categories):
    return ("<upd:Relationships><upd:Prerequisites>" + "".join(
        '<upd:AtLeastOne IsCategory="true"><upd:UpdateIdentity '
        f'UpdateID="{category}"/></upd:AtLeastOne>'
        for category in categories)
        + "</upd:Prerequisites></upd:Relationships>")


# The plain blob of sample 2, character for character.
SAMPLE_BLOB = (
    '<upd:Update xmlns:pub="http://schemas.microsoft.com/msus/2002/12/'
    'Publishing" xmlns:mar="http://schemas.microsoft.com/msus/2002/12/'
    'MsiApplicabilityRules" xmlns:upd="http://schemas.microsoft.com/msus/'
    '2002/12/Update"> <upd:UpdateIdentity '
    'UpdateID="17e993cd-cf5a-4276-9944-6af62ff7139c" RevisionNumber="100" /> '
    '<upd:Properties DefaultPropertiesLanguage="en" UpdateType="Detectoid" '
    'ExplicitlyDeployable="false" IsPublic="false" '
    'DetectoidType="Application Locale" PublicationState="Published" '
    'CreationDate="2006-05-22T19:10:10.172Z" '
    'PublisherID="dd79a08b-c3c2-4e05-9862-ee90f9585e33" /> '
    "<upd:LocalizedPropertiesCollection> <upd:LocalizedProperties> "
    "<upd:Language>en</upd:Language> <upd:Title>SQL 2005 English ia64"
    "</upd:Title> </upd:LocalizedProperties> "
    "</upd:LocalizedPropertiesCollection> <upd:Relationships> "
    "<upd:Prerequisites> <upd:UpdateIdentity "
    'UpdateID="60916385-7546-4e9b-836e-79d65e517bab" /> '
    "</upd:Prerequisites> </upd:Relationships> <upd:ApplicabilityRules> "
    "<upd:IsInstalled> <mar:MsiProductInstalled "
    'ProductCode="{3c4a397d-22b2-4ab0-849f-f5e12672caca}" '
    'ExcludeVersionMax="true" VersionMin="9.00.1399.06" Language="1033" '
    'xmlns:mar="http://schemas.microsoft.com/msus/2002/12/'
    'MsiApplicabilityRules" /> </upd:IsInstalled> </upd:ApplicabilityRules> '
    "</upd:Update>")

LARGE_BLOB = metadata(LARGE, 1, "Category", category_type("Company")
                      + "<x>" + "\u00e4\U0001F600 text &amp; more " * 2000
                      + "</x>", "A large one")

BLOBS = {
    (CLASSIFICATION, 100): metadata(
        CLASSIFICATION, 100, "Category",
        category_type("UpdateClassification"), "Critical Updates"),
    (PRODUCT, 101): metadata(PRODUCT, 101, "Category",
                             category_type("Product"), "A product"),
    (LARGE, 1): LARGE_BLOB,
    (DETECTOID, 100): SAMPLE_BLOB,
    (SECOND, 101): metadata(SECOND, 101, "Detectoid", "", "Another one"),
    (DEPLOYED[0], 100): metadata(
        DEPLOYED[0], 100, "Software", member_of(PRODUCT, CLASSIFICATION)
        + f'<upd:Files><upd:File Digest="{DIGEST}" FileName="file.cab"/>'
        "</upd:Files>"),
    (DEPLOYED[1], 102): metadata(DEPLOYED[1], 102, "Software",
                                 member_of(PRODUCT, CLASSIFICATION)),
}

DEPLOYMENT_IDS = ["c2f2ca62-5413-419a-bdee-275a23087758",
                  "10a2030d-0ac1-434a-9c37-732fc36f9838"]

SETTINGS = {
    "catalogOnlySync": True,
    "lazySync": True,
    "compress": [PRODUCT],
    "languages": [
        {"id": 0, "short": "all", "long": "all"},
        {"id": 1033, "short": "en", "long": "English", "enabled": False}],
    "deployments": [
        {"id": DEPLOYMENT_IDS[0], "update": DEPLOYED[0], "revision": 100,
         "action": "install", "admin": "WUS Server", "assigned": True,
         "goLive": "2006-05-24T15:37:08.887", "group": UNASSIGNED,
         "priority": 1},
        {"id": DEPLOYMENT_IDS[1], "update": DEPLOYED[1], "revision": 102,
         "action": "install", "admin": "WUS Server", "assigned": True,
         "goLive": "2006-05-24T15:59:33.063", "group": UNASSIGNED,
         "priority": 1}],
    "declined": HIDDEN,
    "fileUrls": {DIGEST: URL},
}


def write_source(directory, blobs, settings=None):
    for (identity, revision), text in blobs.items():
        path = os.path.join(directory, f"{identity}-{revision}.xml")
        with open(path, "w", encoding="utf-8") as file:
            file.write('<?xml version="1.0" encoding="utf-8"?>\n' + text)
    if settings is not None:
        with open(os.path.join(directory, "catalogue.json"), "w",
                  encoding="utf-8") as file:
            json.dump(settings, file)


class Upstream:
    """A service with the catalogue above, and calls to it."""

    def __init__(self, make, blobs, settings):
        self.server = make(start=False, config=CONFIG)
        with tempfile.TemporaryDirectory() as source:
            write_source(source, blobs, settings)
            self.import_from(source)
        self.server.start()
        self.locate()

    def import_from(self, source):
        done = self.evenlog("wsus", "import", source)
        assert done.returncode == 0, done.stderr

    def evenlog(self, *arguments):
        return subprocess.run(
            [os.path.join(servers.BUILD, "cli", "evenlog"),
             f"--config={self.server.config}", *arguments],
            capture_output=True, text=True, timeout=120, check=False,
            env=self.server.env())

    def locate(self):
        self.address = self.server.http("dss")

    def restart(self):
        self.server.stop()
        self.server.start()
        self.locate()

    def url(self, path):
        return "http://%s:%d%s" % (*self.address, path)

    def exchange(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection(*self.address, timeout=60)
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        return answer.status, answer.headers, data

    def post(self, path, text, action=None, version="1.1"):
        """Status and the first element in the answer's Body."""
        kind = {"1.1": "text/xml", "1.2": "application/soap+xml"}[version]
        headers = {"Content-Type": kind + "; charset=utf-8"}
        if action is not None:
            headers["SOAPAction"] = f'"{action}"'
        status, _, data = self.exchange("POST", path, text.encode(), headers)
        body = ElementTree.fromstring(data).find(
            "{%s}Body" % ENVELOPES[version])
        return status, body[0]

    def call(self, operation, inside="", path=SYNC, version="1.1"):
        ns = AUTH_NS if path == AUTH else NS
        return self.post(
            path, f'<e:Envelope xmlns:e="{ENVELOPES[version]}"><e:Body>'
            f'<{operation} xmlns="{ns}">{inside}</{operation}>'
            "</e:Body></e:Envelope>", f"{ns}/{operation}", version)

    def good(self, operation, inside="", path=SYNC):
        status, element = self.call(operation, inside, path)
        assert status == 200, ElementTree.tostring(element)
        assert local(element) == operation + "Response"
        return element

    def fault(self, operation, inside="", path=SYNC):
        """ErrorCode and Message."""
        status, element = self.call(operation, inside, path)
        assert status == 500 and local(element) == "Fault"
        return (element.findtext("detail/ErrorCode"),
                element.findtext("detail/Message"))

    # The authorization phase.

    def authorization(self, name=DSS_NAME, guid=DSS):
        answer = self.good("GetAuthorizationCookie",
                           f"<accountName>{name}</accountName>"
                           f"<accountGuid>{guid}</accountGuid>", AUTH)
        return text(answer, "CookieData")

    def sealed(self, version="1.20"):
        return text(self.good("GetCookie", get_cookie(self.authorization(),
                                                      version)),
                    "EncryptedData")

    def cookie(self, version="1.20"):
        return cookie(self.sealed(version))


def get_cookie(data, version="1.20"):
    return ("<authCookies><AuthorizationCookie><PlugInId>DssTargeting"
            f"</PlugInId><CookieData>{data}</CookieData>"
            "</AuthorizationCookie></authCookies>"
            f"<protocolVersion>{version}</protocolVersion>")


def cookie(data):
    return ("<cookie><Expiration>2006-06-08T19:32:23.7190987Z</Expiration>"
            f"<EncryptedData>{data}</EncryptedData></cookie>")


def local(element):
    return element.tag.rpartition("}")[2]


def find(element, name):
    for child in element.iter():
        if local(child) == name:
            return child
    raise AssertionError(f"no {name} in {ElementTree.tostring(element)}")


def text(element, name):
    return find(element, name).text


def names(element):
    return [local(child) for child in element]


def fields(element):
    """Children by name; their order is the dictionary's."""
    return {local(child): child.text for child in element}


def identities(element, parent):
    return [(text(child, "UpdateID"), int(text(child, "RevisionNumber")))
            for child in find(element, parent)]


def update_ids(rows):
    return "<updateIds>" + "".join(
        f"<UpdateIdentity><UpdateID>{identity}</UpdateID><RevisionNumber>"
        f"{revision}</RevisionNumber></UpdateIdentity>"
        for identity, revision in rows) + "</updateIds>"


def uncab(data):
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "x.cab")
        with open(path, "wb") as file:
            file.write(data)
        subprocess.run(["cabextract", "-q", "-d", directory, path],
                       check=True, timeout=60)
        with open(os.path.join(directory, "blob"), "rb") as file:
            return file.read().decode("utf-16-le")


ANCHOR = re.compile(r"\d+,\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}$")


@pytest.fixture(scope="module")
def uss():
    made = []

    def make(start, config):
        assert not start
        made.append(servers.Server(config=config))
        made[0].add_users()
        return made[0]

    try:
        yield Upstream(make, BLOBS, SETTINGS)
    finally:
        for server in made:
            server.close()


# ----------------------------------------------- the specification's samples

SOAP = ('xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        'xmlns:xsd="http://www.w3.org/2001/XMLSchema"')

# Repaired: envelopes are closed or were added where the page has none, and
# %COOKIE% stands for the cookie that was trimmed or that has expired.
SAMPLE_GET_AUTH_CONFIG = f"""<soap:Envelope {SOAP}> <soap:Body> \
<GetAuthConfig xmlns="http://www.microsoft.com/SoftwareDistribution" /> \
</soap:Body> </soap:Envelope>"""

SAMPLE_GET_AUTHORIZATION_COOKIE = f"""<soap:Envelope {SOAP}> <soap:Body> \
<GetAuthorizationCookie xmlns="http://www.microsoft.com/SoftwareDistribution/\
Server/DssAuthWebService"> <accountName>HemantTest.redmond.microsoft.com\
</accountName> <accountGuid>ADB2FE48-0B2E-451e-8FC8-44B29845B0C6\
</accountGuid> </GetAuthorizationCookie> </soap:Body> </soap:Envelope>"""

SAMPLE_GET_COOKIE = f"""<soap:Envelope {SOAP}> <soap:Body> \
<GetCookie xmlns="http://www.microsoft.com/SoftwareDistribution"> \
<authCookies> <AuthorizationCookie> <PlugInId>DssTargeting</PlugInId> \
<CookieData>%COOKIE%</CookieData> </AuthorizationCookie> </authCookies> \
<protocolVersion>1.2</protocolVersion> </GetCookie> \
</soap:Body> </soap:Envelope>"""

SAMPLE_GET_CONFIG_DATA = f"""<?xml version="1.0" encoding="utf-8"?> \
<!-- META-DATA SYNC PHASE: GetConfigData() Request --> \
<soap:Envelope {SOAP}> <soap:Body> \
<GetConfigData xmlns="http://www.microsoft.com/SoftwareDistribution"> \
<cookie> <Expiration>2006-06-08T19:32:23.7190987Z</Expiration> \
<EncryptedData>%COOKIE%</EncryptedData> </cookie> </GetConfigData> \
</soap:Body> </soap:Envelope>"""

SAMPLE_GET_REVISION_ID_LIST = f"""<soap:Envelope {SOAP}> <soap:Body> \
<GetRevisionIdList xmlns="http://www.microsoft.com/SoftwareDistribution"> \
<cookie> <Expiration>2006-05-26T22:59:25.1296674Z</Expiration> \
<EncryptedData>%COOKIE%</EncryptedData> </cookie> <filter> \
<GetConfig>true</GetConfig> <Get63LanguageOnly>false</Get63LanguageOnly> \
</filter> </GetRevisionIdList> </soap:Body> </soap:Envelope>"""

# Where the page says "ARRAY TRIMMED" stand the updates that the answer has.
SAMPLE_GET_UPDATE_DATA = f"""<soap:Envelope {SOAP}> <soap:Body> \
<GetUpdateData xmlns="http://www.microsoft.com/SoftwareDistribution"> \
<cookie> <Expiration>2006-05-27T22:42:23.0632331Z</Expiration> \
<EncryptedData>%COOKIE%</EncryptedData> </cookie> <updateIds> \
<UpdateIdentity> <UpdateID>0287014e-6772-4b4d-81f7-42063ac26e8a</UpdateID> \
<RevisionNumber>100</RevisionNumber> </UpdateIdentity> \
<UpdateIdentity> <UpdateID>0fa1201d-4330-4fa8-8ae9-b877473b6441</UpdateID> \
<RevisionNumber>1</RevisionNumber> </UpdateIdentity> \
<UpdateIdentity> <UpdateID>17e993cd-cf5a-4276-9944-6af62ff7139c</UpdateID> \
<RevisionNumber>100</RevisionNumber> </UpdateIdentity> \
<!--....................... --> <!--.....ARRAY TRIMMED..... --> \
<!--....................... --> \
<UpdateIdentity> <UpdateID>36b1c48e-c741-4047-9b09-d38698ed34b3</UpdateID> \
<RevisionNumber>101</RevisionNumber> </UpdateIdentity> </updateIds> \
</GetUpdateData> </soap:Body> </soap:Envelope>"""

SAMPLE_GET_DEPLOYMENTS = f"""<soap:Envelope {SOAP}> <soap:Body> \
<GetDeployments xmlns="http://www.microsoft.com/SoftwareDistribution"> \
<cookie> <Expiration>2006-05-26T22:59:25.1296674Z</Expiration> \
<EncryptedData>%COOKIE%</EncryptedData> </cookie> \
<syncAnchor>4742,2006-05-26 18:59:26.192</syncAnchor> </GetDeployments> \
</soap:Body> </soap:Envelope>"""

# Sample 4 is the answer to this; sample 2's cookie, cut off as it stands there.
BAD_COOKIE = "c7jG7GX4Czeq+uO8twkF3uNyVfDX6G2bXwIUKk114C+BOl80eXz9YToko"


def replay(uss, path, sample, data=None):
    request = sample if data is None else sample.replace("%COOKIE%", data)
    operation = re.search(r"<(Get\w+) ", request).group(1)
    ns = AUTH_NS if path == AUTH else NS
    status, element = uss.post(path, request, f"{ns}/{operation}")
    assert status == 200, ElementTree.tostring(element)
    assert element.tag == "{%s}%sResponse" % (ns, operation)
    return element


def replay_authorization(uss):
    data = text(replay(uss, AUTH, SAMPLE_GET_AUTHORIZATION_COOKIE),
                "CookieData")
    return text(replay(uss, SYNC, SAMPLE_GET_COOKIE, data), "EncryptedData")


def test_sample_1_authorization(uss):
    answer = replay(uss, SYNC, SAMPLE_GET_AUTH_CONFIG)
    result = find(answer, "GetAuthConfigResult")
    assert names(result) == ["LastChange", "AuthInfo"]
    assert len(find(result, "AuthInfo")) == 1
    assert fields(find(result, "AuthPlugInInfo")) == {
        "PlugInID": "DssTargeting",
        "ServiceUrl": "DssAuthWebService/DssAuthWebService.asmx",
        "Parameter": None}
    answer = replay(uss, AUTH, SAMPLE_GET_AUTHORIZATION_COOKIE)
    result = find(answer, "GetAuthorizationCookieResult")
    assert names(result) == ["PlugInId", "CookieData"]
    assert text(result, "PlugInId") == "DssTargeting"
    data = text(result, "CookieData")
    assert re.fullmatch(r"[A-Za-z0-9+/]+=*", data)
    answer = replay(uss, SYNC, SAMPLE_GET_COOKIE, data)
    result = find(answer, "GetCookieResult")
    assert names(result) == ["Expiration", "EncryptedData"]
    expires = datetime.datetime.strptime(
        text(result, "Expiration")[:19], "%Y-%m-%dT%H:%M:%S")
    assert text(result, "Expiration").endswith("Z")
    left = expires - datetime.datetime.utcnow()
    assert datetime.timedelta(minutes=235) < left
    assert left <= datetime.timedelta(minutes=240)


def test_sample_2_configuration(uss):
    answer = replay(uss, SYNC, SAMPLE_GET_CONFIG_DATA,
                    replay_authorization(uss))
    result = find(answer, "GetConfigDataResult")
    # The order of the prose, and what servers since 2006 have added.
    assert names(result) == [
        "CatalogOnlySync", "LazySync", "ServerHostsPsfFiles",
        "MaxNumberOfUpdatesPerRequest", "MaxNumberOfDriverSetsPerRequest",
        "MaxNumberOfComputerIdsInRequest",
        "MaxNumberOfPnpHardwareIdsInRequest", "NewConfigAnchor",
        "ProtocolVersion", "LanguageUpdateList",
        "MaxUpdatesPerRequestInGetUpdateDecryptionData"]
    assert text(result, "CatalogOnlySync") == "true"
    assert text(result, "LazySync") == "true"
    assert text(result, "ServerHostsPsfFiles") == "false"
    assert text(result, "MaxNumberOfUpdatesPerRequest") == "100"
    assert ANCHOR.match(text(result, "NewConfigAnchor"))
    assert [fields(row) for row in find(result, "LanguageUpdateList")] == [
        {"LanguageID": "0", "ShortLanguage": "all", "LongLanguage": "all",
         "Enabled": "true"},
        {"LanguageID": "1033", "ShortLanguage": "en",
         "LongLanguage": "English", "Enabled": "false"}]


def test_sample_2_revisions(uss):
    answer = replay(uss, SYNC, SAMPLE_GET_REVISION_ID_LIST,
                    replay_authorization(uss))
    result = find(answer, "GetRevisionIdListResult")
    assert names(result) == ["Anchor", "NewRevisions"]
    assert ANCHOR.match(text(result, "Anchor"))
    found = identities(result, "NewRevisions")
    assert sorted(found) == sorted(
        row for row in BLOBS if row[0] not in DEPLOYED)
    assert names(find(result, "UpdateIdentity")) == [
        "UpdateID", "RevisionNumber"]


def test_sample_2_updates(uss):
    answer = replay(uss, SYNC, SAMPLE_GET_UPDATE_DATA,
                    replay_authorization(uss))
    result = find(answer, "GetUpdateDataResult")
    assert names(result) == ["updates", "fileUrls"]
    rows = list(find(result, "updates"))
    assert [(text(row, "UpdateID"), int(text(row, "RevisionNumber")))
            for row in rows] == [
                (CLASSIFICATION, 100), (LARGE, 1), (DETECTOID, 100),
                (SECOND, 101)]
    large, sample = rows[1], rows[2]
    assert names(large) == ["Id", "XmlUpdateBlobCompressed"]
    cabinet = base64.b64decode(text(large, "XmlUpdateBlobCompressed"))
    # As the sample's begins, but for the length.
    assert cabinet[:8] == base64.b64decode("TVNDRgAAAAA=")
    assert uncab(cabinet) == LARGE_BLOB
    # The sample has the element itself there; the schema says it is text.
    assert names(sample) == ["Id", "XmlUpdateBlob"]
    assert text(sample, "XmlUpdateBlob") == SAMPLE_BLOB
    assert len(find(result, "fileUrls")) == 0


def test_sample_2_deployments(uss):
    answer = replay(uss, SYNC, SAMPLE_GET_DEPLOYMENTS,
                    replay_authorization(uss))
    result = find(answer, "GetDeploymentsResult")
    assert names(result) == ["Anchor", "Groups", "Deployments",
                             "DeadDeployments", "HiddenUpdates",
                             "AcceptedEulas"]
    assert text(result, "Anchor") == "4742,2006-05-26 18:59:26.192"
    # The sample leaves out the second ParentGroupId, which the schema wants.
    assert [fields(row) for row in find(result, "Groups")] == [
        {"TargetGroupID": ALL_COMPUTERS,
         "ParentGroupId": "00000000-0000-0000-0000-000000000000",
         "Name": "All Computers", "IsBuiltin": "true"},
        {"TargetGroupID": UNASSIGNED, "ParentGroupId": ALL_COMPUTERS,
         "Name": "Unassigned Computers", "IsBuiltin": "true"}]
    rows = [fields(row) for row in find(result, "Deployments")]
    # A zone is said: the sample's times are UTC by context only.
    assert rows == [
        {"UpdateId": DEPLOYED[0], "RevisionNumber": "100", "Action": "0",
         "AdminName": "WUS Server",
         "Deadline": "9999-12-31T23:59:59.9999999", "IsAssigned": "true",
         "GoLiveTime": "2006-05-24T15:37:08.887Z",
         "DeploymentGuid": DEPLOYMENT_IDS[0], "TargetGroupId": UNASSIGNED,
         "DownloadPriority": "1"},
        {"UpdateId": DEPLOYED[1], "RevisionNumber": "102", "Action": "0",
         "AdminName": "WUS Server",
         "Deadline": "9999-12-31T23:59:59.9999999", "IsAssigned": "true",
         "GoLiveTime": "2006-05-24T15:59:33.063Z",
         "DeploymentGuid": DEPLOYMENT_IDS[1], "TargetGroupId": UNASSIGNED,
         "DownloadPriority": "1"}]
    assert len(find(result, "DeadDeployments")) == 0
    assert [row.text for row in find(result, "HiddenUpdates")] == HIDDEN
    assert len(find(result, "AcceptedEulas")) == 0


def test_sample_4_fault(uss):
    request = SAMPLE_GET_DEPLOYMENTS.replace("%COOKIE%", BAD_COOKIE)
    status, fault = uss.post(SYNC, request, NS + "/GetDeployments")
    assert status == 500
    assert names(fault) == ["faultcode", "faultstring", "faultactor", "detail"]
    assert fault.findtext("faultcode") == "soap:Client"
    assert fault.findtext("faultactor").lower() == uss.url(SYNC).lower()
    detail = fault.find("detail")
    assert names(detail) == ["ErrorCode", "Message", "ID", "Method"]
    assert detail.findtext("ErrorCode") == "InvalidCookie"
    assert not detail.findtext("Message")
    uuid.UUID(detail.findtext("ID"))
    assert detail.findtext("Method") == f'"{NS}/GetDeployments"'


# --------------------------------------------------------- zeep, by the WSDL

def zeep_services(uss, version):
    try:
        import zeep
    except ImportError:
        print("python3-zeep is not installed: not tried")
        return None
    if not os.path.isdir(WSDL):
        print(f"{WSDL} is not there: not tried")
        return None
    suffix = "12" if version == "1.2" else ""
    transport = zeep.Transport(timeout=60, operation_timeout=60)
    # ServerSyncConfigData has another order in the WSDL than in the prose,
    # which Microsoft's own servers follow either of.
    settings = zeep.Settings(xsd_ignore_sequence_order=True)
    made = []
    for file, ns, name, path in (
            ("dss-auth.wsdl", AUTH_NS, "DssAuthWebServiceSoap", AUTH),
            ("server-sync.wsdl", NS, "ServerSyncProxySoap", SYNC)):
        client = zeep.Client(os.path.join(WSDL, file), transport=transport,
                             settings=settings)
        # The address in the WSDL is one that no server has.
        made.append(client.create_service("{%s}%s%s" % (ns, name, suffix),
                                          uss.url(path)))
    return made


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_zeep_runs_the_conversation(uss, version):
    services = zeep_services(uss, version)
    if services is None:
        return
    auth, sync = services
    config = sync.GetAuthConfig()
    assert config.AuthInfo.AuthPlugInInfo[0].PlugInID == "DssTargeting"
    authorization = auth.GetAuthorizationCookie(
        accountName="dss.example", accountGuid=str(uuid.uuid4()))
    session = sync.GetCookie(
        authCookies={"AuthorizationCookie": [
            {"PlugInId": authorization.PlugInId,
             "CookieData": authorization.CookieData}]},
        oldCookie=None, protocolVersion="1.20")
    config = sync.GetConfigData(cookie=session, configAnchor=None)
    assert config.MaxNumberOfUpdatesPerRequest == 100
    assert config.ProtocolVersion == "1.20"
    assert [row.ShortLanguage for row in
            config.LanguageUpdateList.ServerSyncLanguageData] == ["all", "en"]
    again = sync.GetConfigData(cookie=session,
                               configAnchor=config.NewConfigAnchor)
    assert not again.LanguageUpdateList

    def revisions(**more):
        return sync.GetRevisionIdList(cookie=session, filter={
            "GetConfig": False, "Get63LanguageOnly": False, **more})

    updates = revisions(
        Categories={"IdAndDelta": [{"Id": PRODUCT, "Delta": False}]},
        Classifications={"IdAndDelta": [{"Id": CLASSIFICATION,
                                         "Delta": False}]},
        Languages={"LanguageAndDelta": [{"Id": 1033, "Delta": False}]})
    rows = updates.NewRevisions.UpdateIdentity
    assert [row.UpdateID for row in rows] == DEPLOYED
    assert not revisions(Anchor=updates.Anchor).NewRevisions
    data = sync.GetUpdateData(cookie=session, updateIds={
        "UpdateIdentity": [
            {"UpdateID": row.UpdateID, "RevisionNumber": row.RevisionNumber}
            for row in rows]})
    first = data.updates.ServerSyncUpdateData[0]
    assert first.XmlUpdateBlob == BLOBS[DEPLOYED[0], 100]
    assert first.FileDigestList.base64Binary == [base64.b64decode(DIGEST)]
    url = data.fileUrls.ServerSyncUrlData[0]
    assert url.MUUrl == URL and url.UssUrl is None
    assert url.FileDigest == base64.b64decode(DIGEST)
    deployments = sync.GetDeployments(cookie=session, deploymentAnchor=None,
                                      syncAnchor=updates.Anchor)
    assert [row.DeploymentGuid for row in
            deployments.Deployments.ServerSyncDeployment] == DEPLOYMENT_IDS
    assert len(deployments.Groups.ServerSyncTargetGroup) == 2
    later = sync.GetDeployments(cookie=session,
                                deploymentAnchor=deployments.Anchor,
                                syncAnchor=updates.Anchor)
    assert not later.Deployments
    sync.GetUpdateDecryptionData(cookie=session, updateIds={
        "UpdateIdentity": [{"UpdateID": DEPLOYED[0], "RevisionNumber": 100}]})
    sync.DownloadFiles(cookie=session, fileDigestList={
        "base64Binary": [base64.b64decode(DIGEST)]})
    sync.GetRelatedRevisionsForUpdates(cookie=session, updateIDs={
        "guid": [DEPLOYED[0]]})


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_zeep_is_told_of_a_bad_cookie(uss, version):
    services = zeep_services(uss, version)
    if services is None:
        return
    import zeep.exceptions
    with pytest.raises(zeep.exceptions.Fault) as caught:
        services[1].GetConfigData(cookie={
            "Expiration": datetime.datetime(2030, 1, 1),
            "EncryptedData": b"xx"})
    assert "InvalidCookie" in caught.value.message


# ----------------------------------------------------- validation, in order

def flipped(data):
    raw = bytearray(base64.b64decode(data))
    raw[-1] ^= 1
    return base64.b64encode(bytes(raw)).decode()


def test_get_cookie_wants_one_cookie_of_its_own(uss):
    data = uss.authorization()
    one = get_cookie(data)
    two = one.replace("</authCookies>",
                      one[len("<authCookies>"):one.index("<protocol")])
    parameters = ("InvalidParameters", "authCookies")
    authorization = ("InvalidAuthorizationCookie", "")

    def fault(inside):
        code, message = uss.fault("GetCookie", inside)
        return code, message or ""

    assert fault("<protocolVersion>1.20</protocolVersion>") == parameters
    assert fault("<authCookies/>") == parameters
    assert fault(two) == parameters
    assert fault(get_cookie("")) == authorization
    assert fault(get_cookie("!")) == authorization
    assert fault(get_cookie(flipped(data))) == authorization
    assert fault(get_cookie("QUJD" * 100000)) == authorization
    # A session's cookie is none of an authorization.
    assert fault(get_cookie(uss.sealed())) == authorization
    assert fault(get_cookie(data, "2.0")) == ("IncompatibleProtocolVersion",
                                              "")
    for version in ("", "1", "1.", ".1", "1.x", "1.2.3", "-1.2", "1.123456"):
        assert fault(get_cookie(data, version)) == ("InvalidParameters",
                                                    "protocolVersion")
    for version in ("1.1", "1.2", "1.7", "1.21"):
        uss.good("GetCookie", get_cookie(data, version))
    # An old cookie is never an error.
    uss.good("GetCookie", get_cookie(data).replace(
        "<protocol", cookie("garbage").replace("cookie>", "oldCookie>")
        + "<protocol"))


CALLS = [
    ("GetConfigData", ""),
    ("GetRevisionIdList", "<filter><Anchor>x</Anchor></filter>"),
    ("GetUpdateData", ""),
    ("GetUpdateDecryptionData", ""),
    ("GetDriverIdList", ""),
    ("GetDriverSetData", ""),
    ("GetDeployments", ""),
    ("DownloadFiles", ""),
]


@pytest.mark.parametrize("operation,inside", CALLS,
                         ids=lambda value: value[:24])
def test_the_cookie_is_looked_at_first(uss, operation, inside):
    """What follows it is wrong, too, and not spoken of."""
    data = uss.sealed()
    for bad in ("", cookie(""), cookie("!"), cookie(flipped(data)),
                cookie(uss.authorization()), cookie("AAAA")):
        assert uss.fault(operation, bad + inside)[0] == "InvalidCookie"


@pytest.mark.parametrize("operation,inside,parameter", [
    ("GetConfigData", "<configAnchor>x</configAnchor>", "configAnchor"),
    ("GetRevisionIdList", "", "filter"),
    ("GetRevisionIdList", "<filter><Anchor>1,2</Anchor></filter>", "filter"),
    ("GetUpdateData", "", "updateIds"),
    ("GetUpdateData", update_ids([("x", 1)]), "updateIds"),
    ("GetUpdateData", update_ids([(DETECTOID, 100)] * 101), "updateIds"),
    ("GetUpdateDecryptionData", "", "updateIds"),
    ("GetUpdateDecryptionData", update_ids([(DETECTOID, 100)] * 101),
     "updateIds"),
    ("GetDriverIdList", "", "filter"),
    ("GetDeployments", "", "syncAnchor"),
    ("GetDeployments", "<syncAnchor/>", "syncAnchor"),
    ("GetDeployments", "<syncAnchor>x</syncAnchor>", "syncAnchor"),
    ("GetDeployments", "<deploymentAnchor>x</deploymentAnchor>"
     "<syncAnchor>1,2026-01-01 00:00:00.000</syncAnchor>",
     "deploymentAnchor"),
    ("DownloadFiles", "", "fileDigestList"),
    ("DownloadFiles", "<fileDigestList>"
     + f"<base64Binary>{DIGEST}</base64Binary>" * 101
     + "</fileDigestList>", "fileDigestList"),
], ids=lambda value: value[:24])
def test_a_wrong_parameter_is_named(uss, operation, inside, parameter):
    assert uss.fault(operation, uss.cookie() + inside) == (
        "InvalidParameters", parameter)


@pytest.mark.parametrize("name,guid,message", [
    ("", DSS, "accountName"),
    ("a b", DSS, "accountName"),
    ("a..b", DSS, "accountName"),
    (".a", DSS, "accountName"),
    ("x" * 64, DSS, "accountName"),
    ("a." * 128, DSS, "accountName"),
    ("dss.example", "", "accountGuid"),
    ("dss.example", "x", "accountGuid"),
], ids=lambda value: value[:24])
def test_an_account_needs_a_name_and_a_guid(uss, name, guid, message):
    assert uss.fault("GetAuthorizationCookie",
                     f"<accountName>{name}</accountName><accountGuid>{guid}"
                     "</accountGuid>", AUTH) == ("InvalidParameters", message)


def test_name_and_guid_may_have_changed_places(uss):
    uss.authorization(DSS, DSS_NAME)
    uss.authorization("dss.example", "00000000-0000-0000-0000-000000000000")


# -------------------------------------------------------------- the calls

def test_config_after_its_anchor_has_no_languages(uss):
    session = uss.cookie()
    anchor = text(uss.good("GetConfigData", session), "NewConfigAnchor")
    again = uss.good("GetConfigData", session
                     + f"<configAnchor>{anchor}</configAnchor>")
    assert len(find(again, "LanguageUpdateList")) == 0


def test_a_hundred_updates_are_given_and_unknown_ones_are_not(uss):
    rows = [(DETECTOID, 100)] + [(str(uuid.uuid4()), 1) for _ in range(98)] \
        + [(DETECTOID, 101)]
    answer = uss.good("GetUpdateData", uss.cookie() + update_ids(rows))
    assert len(find(answer, "updates")) == 1


def test_a_small_update_is_compressed_where_the_catalogue_asks(uss):
    answer = uss.good("GetUpdateData",
                      uss.cookie() + update_ids([(PRODUCT, 101)]))
    cabinet = base64.b64decode(text(answer, "XmlUpdateBlobCompressed"))
    assert uncab(cabinet) == BLOBS[PRODUCT, 101]


def test_an_empty_list_of_updates_is_answered(uss):
    answer = uss.good("GetUpdateData", uss.cookie() + "<updateIds/>")
    assert len(find(answer, "updates")) == 0


def test_digests_that_are_missing_are_listed(uss):
    unknown = [base64.b64encode(hashlib.sha1(b"%d" % i).digest()).decode()
               for i in range(2)]
    digests = "".join(f"<base64Binary>{digest}</base64Binary>"
                      for digest in (unknown[0], DIGEST, unknown[1]))
    assert uss.fault("DownloadFiles", uss.cookie()
                     + f"<fileDigestList>{digests}</fileDigestList>") == (
                         "FileDigestsMissing", "|".join(unknown))
    answer = uss.good("DownloadFiles", uss.cookie() + "<fileDigestList>"
                      f"<base64Binary>{DIGEST}</base64Binary>"
                      "</fileDigestList>")
    assert len(answer) == 0


def test_what_this_server_has_none_of_is_empty(uss):
    session = uss.cookie()
    answer = uss.good("GetUpdateDecryptionData", session
                      + update_ids([(DETECTOID, 100)] * 100))
    assert len(find(answer, "UpdateFileDecryptionData")) == 0
    answer = uss.good("GetDriverIdList", session + "<filter/>")
    assert names(find(answer, "GetDriverIdListResult")) == [
        "Anchor", "NewRevisions", "NewDriverSets", "RemovedDriverSets"]
    answer = uss.good("GetDriverSetData", session)
    assert len(find(answer, "DriverSets")) == 0
    assert uss.fault("GetDriverSetData", session + "<driverSets><guid>"
                     f"{DETECTOID}</guid></driverSets>")[0] == "TooManyIds"
    answer = uss.good("GetRelatedRevisionsForUpdates")
    assert len(find(answer, "GetRelatedRevisionsForUpdatesResult")) == 0


def test_there_is_no_content(uss):
    path = "/Content/7E/0000000000000000000000000000000000000000.cab"
    assert uss.exchange("GET", path)[0] == 404
    assert uss.exchange("HEAD", path.lower())[0] == 404
    status, headers, _ = uss.exchange("PUT", path, b"x")
    assert status == 405 and headers["Allow"] == "GET, HEAD"


@pytest.mark.parametrize("path", [AUTH.lower(), "//" + AUTH[1:].upper(),
                                  "/" + AUTH])
def test_paths_are_found_without_case_and_with_more_slashes(uss, path):
    status, _ = uss.post(path, SAMPLE_GET_AUTHORIZATION_COOKIE)
    assert status == 200


def test_a_cookie_outlives_a_restart(uss):
    session = uss.cookie()
    uss.restart()
    uss.good("GetConfigData", session)


def test_an_import_reaches_the_running_service(uss):
    session = uss.cookie()
    revisions = ("<filter>%s<GetConfig>false</GetConfig><Get63LanguageOnly>"
                 "false</Get63LanguageOnly></filter>")
    before = uss.good("GetRevisionIdList", session + revisions % "")
    anchor = text(before, "Anchor")
    fresh = str(uuid.uuid4())
    blobs = dict(BLOBS)
    blobs[fresh, 1] = metadata(fresh, 1)
    blobs[DEPLOYED[0], 101] = metadata(DEPLOYED[0], 101)
    settings = dict(SETTINGS, deployments=SETTINGS["deployments"][1:])
    with tempfile.TemporaryDirectory() as source:
        write_source(source, blobs, settings)
        uss.import_from(source)
        try:
            after = uss.good("GetRevisionIdList", session + revisions
                             % f"<Anchor>{anchor}</Anchor>")
            assert sorted(identities(after, "NewRevisions")) == sorted(
                [(fresh, 1), (DEPLOYED[0], 101)])
            new_anchor = text(after, "Anchor")
            answer = uss.good(
                "GetDeployments",
                f"{session}<deploymentAnchor>{anchor}</deploymentAnchor>"
                f"<syncAnchor>{new_anchor}</syncAnchor>")
            assert len(find(answer, "Deployments")) == 0
            assert [row.text for row in find(answer, "DeadDeployments")] == [
                DEPLOYMENT_IDS[0]]
        finally:
            with tempfile.TemporaryDirectory() as original:
                write_source(original, BLOBS, SETTINGS)
                uss.import_from(original)


def test_a_call_sees_one_catalogue_while_others_are_imported(uss):
    """All of one import, or all of the other."""
    sets = []
    for base in (1, 2):
        sets.append({(str(uuid.UUID(int=base << 64 | i)), base): metadata(
            str(uuid.UUID(int=base << 64 | i)), base) for i in range(300)})
    seen = []
    over = threading.Event()

    def ask():
        session = uss.cookie()
        wanted = [list(blobs)[0] for blobs in sets]
        while not over.is_set():
            answer = uss.good("GetRevisionIdList", session
                              + "<filter><GetConfig>false</GetConfig></filter>")
            seen.append(sorted(identities(answer, "NewRevisions")))
            answer = uss.good("GetUpdateData", session + update_ids(wanted))
            assert len(find(answer, "updates")) == 1

    with tempfile.TemporaryDirectory() as one, \
            tempfile.TemporaryDirectory() as two, \
            concurrent.futures.ThreadPoolExecutor() as pool:
        write_source(one, sets[0], {})
        write_source(two, sets[1], {})
        uss.import_from(one)
        try:
            asking = [pool.submit(ask) for _ in range(2)]
            for _ in range(5):
                uss.import_from(two)
                uss.import_from(one)
            over.set()
            for done in asking:
                done.result()
        finally:
            over.set()
            with tempfile.TemporaryDirectory() as original:
                write_source(original, BLOBS, SETTINGS)
                uss.import_from(original)
    known = [sorted(blobs) for blobs in sets]
    assert all(answer in known for answer in seen)
    assert all(answer in seen for answer in known)


def test_an_answer_has_24509_revisions(uss):
    """As many as a Windows Server 2025 was seen to give in one."""
    many = {(str(uuid.UUID(int=i)), 1): None for i in range(24509)}
    for identity, revision in many:
        many[identity, revision] = metadata(identity, revision)
    with tempfile.TemporaryDirectory() as source:
        write_source(source, many, {})
        uss.import_from(source)
    try:
        answer = uss.good(
            "GetRevisionIdList", uss.cookie()
            + "<filter><GetConfig>false</GetConfig></filter>")
        assert len(find(answer, "NewRevisions")) == 24509
        wanted = list(many)[:100]
        answer = uss.good("GetUpdateData", uss.cookie() + update_ids(wanted))
        assert [(text(row, "UpdateID"), int(text(row, "RevisionNumber")))
                for row in find(answer, "updates")] == wanted
    finally:
        with tempfile.TemporaryDirectory() as original:
            write_source(original, BLOBS, SETTINGS)
            uss.import_from(original)


# -------------------------------------------------------------- the events

def events(uss, event_id):
    """EventData of an event id, oldest first."""
    done = uss.evenlog("query", "Evenlog-WSUS/Operational",
                       f"*[System[EventID={event_id}]]", "--format=xml",
                       f"--control-socket={uss.server.control}")
    assert done.returncode == 0, done.stderr
    rows = []
    for event in ElementTree.fromstring(f"<a>{done.stdout}</a>"):
        rows.append({data.get("Name"): data.text
                     for data in event.iter() if local(data) == "Data"})
    return rows


def braced(guid):
    return "{" + guid.upper() + "}"


def test_first_contact_and_each_cookie_are_events(uss):
    guid = str(uuid.uuid4())
    name = "contact.example"
    data = uss.authorization(name, guid)
    assert uss.authorization(name, guid)
    uss.good("GetCookie", get_cookie(data, "1.8"))
    seen = [row for row in events(uss, 100)
            if row["ServerId"] == braced(guid)]
    assert len(seen) == 1
    assert seen[0]["ServerName"] == name
    assert seen[0]["PeerAddress"] == "127.0.0.1"
    started = [row for row in events(uss, 103)
               if row["ServerId"] == braced(guid)]
    assert len(started) == 1
    assert started[0]["ServerName"] == name
    assert started[0]["ProtocolVersion"] == "1.8"


def test_refusals_are_events_but_no_flood_of_them(make_server):
    """The first ten in a minute; a new service counts anew."""
    uss = Upstream(make_server, {}, {})
    request = SAMPLE_GET_DEPLOYMENTS.replace("%COOKIE%", BAD_COOKIE)
    faults = [uss.post(SYNC, request, NS + "/GetDeployments")[1].findtext(
        "detail/ID") for _ in range(4)]
    assert uss.fault("GetCookie", "") == ("InvalidParameters", "authCookies")
    status, _, _ = uss.exchange("POST", SYNC, b"<not xml", {
        "Content-Type": "text/xml"})
    assert status == 500
    for _ in range(100):
        uss.post(SYNC, request, NS + "/GetDeployments")
    # What is asked for now is behind them: the events are on disk.
    uss.sealed()
    refused = events(uss, 300)
    assert len(refused) == 8
    assert {row["ErrorCode"] for row in refused} == {"InvalidCookie"}
    assert {row["Operation"] for row in refused} == {"GetDeployments"}
    assert refused[0]["Reason"].startswith("it can't be read: ")
    assert [row["FaultId"].strip("{}").lower()
            for row in refused[:4]] == faults
    rejected = events(uss, 301)
    assert len(rejected) == 2
    assert rejected[0]["ErrorCode"] == "InvalidParameters"
    assert rejected[0]["Reason"].startswith(
        "the argument authCookies is missing")
    assert rejected[1]["Reason"].startswith(
        "the request can't be read as XML, line 1: ")
    assert not rejected[0]["Quarantine"]
    # What could not be read at all is kept for a person.
    kept = rejected[1]["Quarantine"]
    done = uss.evenlog("quarantine", "show", "--raw", kept)
    assert done.stdout == "<not xml"


# -------------------------------------------------------------- the command

def test_wsus_list_shows_what_was_imported(uss):
    done = uss.evenlog("wsus", "list", "--format=json")
    shown = json.loads(done.stdout)
    assert sorted((row["Id"].lower(), row["Revision"])
                  for row in shown["Updates"]) == sorted(BLOBS)
    assert {row["Title"]: row["Kind"] for row in shown["Updates"]}[
        "Critical Updates"] == "classification"
    assert [row["Name"] for row in shown["Groups"]] == [
        "All Computers", "Unassigned Computers"]
    assert [row["Id"].lower() for row in shown["Deployments"]] == \
        DEPLOYMENT_IDS
    done = uss.evenlog("wsus", "list")
    assert "SQL 2005 English ia64" in done.stdout


def test_a_wrong_directory_changes_nothing(uss):
    before = uss.evenlog("wsus", "list", "--format=json").stdout
    with tempfile.TemporaryDirectory() as source:
        write_source(source, {(DETECTOID, 1): "<broken"})
        done = uss.evenlog("wsus", "import", source)
        assert done.returncode == 1
        assert f"{source}/{DETECTOID}-1.xml:2: " not in done.stderr
        assert f"{source}/{DETECTOID}-1.xml:1: " in done.stderr
        assert "nothing was imported" in done.stderr
    assert uss.evenlog("wsus", "list", "--format=json").stdout == before
