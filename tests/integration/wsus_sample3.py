# SPDX-License-Identifier: GPL-3.0-or-later
"""
The five exchanges of [MS-WSUSSS] 4, sample 3, "Reporting Data
Synchronization": requests and answers with the values of the document.  Blanks
that its page width put inside names are taken out, lines are broken between
elements and attributes.
"""

GET_ROLLUP_CONFIGURATION_REQUEST = """<?xml version="1.0" encoding="utf-8"?>
<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"
xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
xmlns:xsd="http://www.w3.org/2001/XMLSchema">
<soap:Body>
<GetRollupConfiguration xmlns="http://www.microsoft.com/SoftwareDistribution">
<cookie>
<Expiration>9999-12-31T23:59:59.9999999</Expiration>
<EncryptedData />
</cookie>
</GetRollupConfiguration>
</soap:Body>
</soap:Envelope>"""

GET_ROLLUP_CONFIGURATION_ANSWER = """<?xml version="1.0" encoding="utf-8"?>
<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"
xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
xmlns:xsd="http://www.w3.org/2001/XMLSchema">
<soap:Body>
<GetRollupConfigurationResponse
xmlns="http://www.microsoft.com/SoftwareDistribution">
<GetRollupConfigurationResult>
<DoDetailedRollup>true</DoDetailedRollup>
<RollupResetGuid>3277f62c-fa08-468f-873f-2f9867bcf9e5</RollupResetGuid>
<ServerId>059ab167-8a19-4bab-befc-daaab5b1d82b</ServerId>
<RollupDownstreamServersMaxBatchSize>5000</RollupDownstreamServersMaxBatchSize>
<RollupComputersMaxBatchSize>1500</RollupComputersMaxBatchSize>
<GetOutOfSyncComputersMaxBatchSize>20000</GetOutOfSyncComputersMaxBatchSize>
<RollupComputerStatusMaxBatchSize>500</RollupComputerStatusMaxBatchSize>
</GetRollupConfigurationResult>
</GetRollupConfigurationResponse>
</soap:Body>
</soap:Envelope>"""

ROLLUP_DOWNSTREAM_SERVERS_REQUEST = """<?xml version="1.0" encoding="utf-8"?>
<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"
xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
xmlns:xsd="http://www.w3.org/2001/XMLSchema">
<soap:Body>
<RollupDownstreamServers
xmlns="http://www.microsoft.com/SoftwareDistribution">
<cookie>
<Expiration>9999-12-31T23:59:59.9999999</Expiration>
<EncryptedData />
</cookie>
<clientTime>2007-03-06T03:28:02.5507362Z</clientTime>
<downstreamServers>
<DownstreamServerRollupInfo>
<ServerId>050cee4a-aaff-470c-8fc3-7a94cb3a4293</ServerId>
<FullDomainName>yasufs64.ntdev.corp.microsoft.com</FullDomainName>
<LastSyncTime>0001-01-01T00:00:00</LastSyncTime>
<ParentServerId>00000000-0000-0000-0000-000000000000</ParentServerId>
<Version>3.0.6000.354</Version>
<IsReplica>true</IsReplica>
<LastRollupTime>2007-03-06T03:28:01.894503Z</LastRollupTime>
<ServerSummary>
<UpdateCount>1002</UpdateCount>
<DeclinedUpdateCount>29</DeclinedUpdateCount>
<ApprovedUpdateCount>2</ApprovedUpdateCount>
<NotApprovedUpdateCount>971</NotApprovedUpdateCount>
<UpdatesWithStaleUpdateApprovalsCount>0</UpdatesWithStaleUpdateApprovalsCount>
<ExpiredUpdateCount>1</ExpiredUpdateCount>
<CriticalOrSecurityUpdatesNotApprovedForInstallCount>953</CriticalOrSecurityUpdatesNotApprovedForInstallCount>
<WsusInfrastructureUpdatesNotApprovedForInstallCount>3</WsusInfrastructureUpdatesNotApprovedForInstallCount>
<UpdatesWithClientErrorsCount>0</UpdatesWithClientErrorsCount>
<UpdatesWithServerErrorsCount>0</UpdatesWithServerErrorsCount>
<UpdatesNeedingFilesCount>0</UpdatesNeedingFilesCount>
<UpdatesNeededByComputersCount>1</UpdatesNeededByComputersCount>
<UpdatesUpToDateCount>972</UpdatesUpToDateCount>
<CustomComputerTargetGroupCount>0</CustomComputerTargetGroupCount>
<ComputerTargetCount>1</ComputerTargetCount>
<ComputerTargetsNeedingUpdatesCount>1</ComputerTargetsNeedingUpdatesCount>
<ComputerTargetsWithUpdateErrorsCount>0</ComputerTargetsWithUpdateErrorsCount>
<ComputersUpToDateCount>0</ComputersUpToDateCount>
</ServerSummary>
<ClientSummaries>
<DownstreamServerRollupClientSummary>
<OSMajorVersion>5</OSMajorVersion>
<OSMinorVersion>2</OSMinorVersion>
<OSBuildNumber>3790</OSBuildNumber>
<OSServicePackMajorNumber>1</OSServicePackMajorNumber>
<OSServicePackMinorNumber>0</OSServicePackMinorNumber>
<OSLocale>en-US</OSLocale>
<SuiteMask>272</SuiteMask>
<OldProductType>3</OldProductType>
<NewProductType>0</NewProductType>
<SystemMetrics>0</SystemMetrics>
<ProcessorArchitecture>AMD64</ProcessorArchitecture>
<Count>1</Count>
<ActivitySummaries>
<DownstreamServerRollupClientActivitySummary>
<UpdateId>63ee225f-897d-42ae-841e-4a383c92f350</UpdateId>
<RevisionNumber>101</RevisionNumber>
<InstallSuccessCount>1</InstallSuccessCount>
<InstallFailureCount>0</InstallFailureCount>
</DownstreamServerRollupClientActivitySummary>
</ActivitySummaries>
</DownstreamServerRollupClientSummary>
</ClientSummaries>
</DownstreamServerRollupInfo>
</downstreamServers>
</RollupDownstreamServers>
</soap:Body>
</soap:Envelope>"""

ROLLUP_DOWNSTREAM_SERVERS_ANSWER = """<?xml version="1.0" encoding="utf-8"?>
<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"
xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
xmlns:xsd="http://www.w3.org/2001/XMLSchema">
<soap:Body>
<RollupDownstreamServersResponse
xmlns="http://www.microsoft.com/SoftwareDistribution"
/>
</soap:Body>
</soap:Envelope>"""

ROLLUP_COMPUTERS_REQUEST = """<?xml version="1.0" encoding="utf-8"?>
<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"
xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
xmlns:xsd="http://www.w3.org/2001/XMLSchema">
<soap:Body>
<RollupComputers xmlns="http://www.microsoft.com/SoftwareDistribution">
<cookie>
<Expiration>9999-12-31T23:59:59.9999999</Expiration>
<EncryptedData />
</cookie>
<clientTime>2007-03-06T03:28:02.9726004Z</clientTime>
<computers>
<ComputerRollupInfo ComputerId="d07a4d51-7cb2-46d1-ad86-91195cb4325a"
LastSyncTime="2007-03-06T03:22:28.137Z"
LastSyncResult="1"
LastReportedRebootTime="0001-01-01T00:00:00"
LastReportedStatusTime="2007-03-06T03:27:59.377Z"
LastInventoryTime="0001-01-01T00:00:00"
ParentServerId="050cee4a-aaff-470c-8fc3-7a94cb3a4293">
<Details IPAddress="127.0.0.1"
FullDomainName="yasufs64.ntdev.corp.microsoft.com"
OSMajorVersion="5"
OSMinorVersion="2"
OSBuildNumber="3790"
OSServicePackMajorNumber="1"
OSServicePackMinorNumber="0"
OSLocale="en-US"
ComputerMake="Hewlett-Packard"
ComputerModel="HP Compaq dc7600 Convertible Minitower"
BiosVersion="786D1 v01.03"
BiosName="Default System BIOS"
BiosReleaseDate="2005-05-18T00:00:00Z"
ProcessorArchitecture="AMD64"
SuiteMask="272"
OldProductType="3"
NewProductType="0"
SystemMetrics="0"
ClientVersion="7.0.6000.354">
<TargetGroupIdList>
<guid>b73ca6ed-5727-47f3-84de-015e03f6a88a</guid>
</TargetGroupIdList>
<RequestedTargetGroupNames>
<string>Windows Server 2003</string>
<string>Servers</string>
</RequestedTargetGroupNames>
</Details>
</ComputerRollupInfo>
</computers>
</RollupComputers>
</soap:Body>
</soap:Envelope>"""

ROLLUP_COMPUTERS_ANSWER = """<?xml version="1.0" encoding="utf-8"?>
<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"
xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
xmlns:xsd="http://www.w3.org/2001/XMLSchema">
<soap:Body>
<RollupComputersResponse
xmlns="http://www.microsoft.com/SoftwareDistribution">
<RollupComputersResult />
</RollupComputersResponse>
</soap:Body>
</soap:Envelope>"""

GET_OUT_OF_SYNC_COMPUTERS_REQUEST = """<?xml version="1.0" encoding="utf-8"?>
<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"
xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
xmlns:xsd="http://www.w3.org/2001/XMLSchema">
<soap:Body>
<GetOutOfSyncComputers xmlns="http://www.microsoft.com/SoftwareDistribution">
<cookie>
<Expiration>9999-12-31T23:59:59.9999999</Expiration>
<EncryptedData />
</cookie>
<parentServerId>050cee4a-aaff-470c-8fc3-7a94cb3a4293</parentServerId>
<lastRollupNumbers>
<ComputerLastRollupNumber>
<ComputerId>d07a4d51-7cb2-46d1-ad86-91195cb4325a</ComputerId>
<RollupNumber>2</RollupNumber>
</ComputerLastRollupNumber>
</lastRollupNumbers>
</GetOutOfSyncComputers>
</soap:Body>
</soap:Envelope>"""

GET_OUT_OF_SYNC_COMPUTERS_ANSWER = """<?xml version="1.0" encoding="utf-8"?>
<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"
xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
xmlns:xsd="http://www.w3.org/2001/XMLSchema">
<soap:Body>
<GetOutOfSyncComputersResponse
xmlns="http://www.microsoft.com/SoftwareDistribution">
<GetOutOfSyncComputersResult />
</GetOutOfSyncComputersResponse>
</soap:Body>
</soap:Envelope>"""

ROLLUP_COMPUTER_STATUS_REQUEST = """<?xml version="1.0" encoding="utf-8"?>
<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"
xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
xmlns:xsd="http://www.w3.org/2001/XMLSchema">
<soap:Body>
<RollupComputerStatus xmlns="http://www.microsoft.com/SoftwareDistribution">
<cookie>
<Expiration>9999-12-31T23:59:59.9999999</Expiration>
<EncryptedData />
</cookie>
<clientTime>2007-03-06T03:39:24.2520342Z</clientTime>
<parentServerId>050cee4a-aaff-470c-8fc3-7a94cb3a4293</parentServerId>
<computers>
<ComputerStatusRollupInfo>
<InstanceId>14720b83-5998-41f7-b586-6088cd8acd0c</InstanceId>
<ComputerId>d07a4d51-7cb2-46d1-ad86-91195cb4325a</ComputerId>
<EffectiveLastDetectionTime>2007-03-06T01:47:46.42Z</EffectiveLastDetectionTime>
<RollupNumber>3</RollupNumber>
<IsFullRollup>true</IsFullRollup>
<UpdateStatus>
<ComputerStatusRollupUpdateStatus>
<UpdateId>09de7a79-5c09-4f3a-972e-cc1bbb7ca7e4</UpdateId>
<SummarizationState>4</SummarizationState>
<LastChangeTime>2007-03-05T22:25:11.64Z</LastChangeTime>
</ComputerStatusRollupUpdateStatus>
<ComputerStatusRollupUpdateStatus>
<UpdateId>5eb6225f-5d33-4213-a6b4-fcdd9f672d75</UpdateId>
<SummarizationState>5</SummarizationState>
<LastChangeTime>2007-03-05T22:25:11.64Z</LastChangeTime>
</ComputerStatusRollupUpdateStatus>
</UpdateStatus>
</ComputerStatusRollupInfo>
</computers>
</RollupComputerStatus>
</soap:Body>
</soap:Envelope>"""

ROLLUP_COMPUTER_STATUS_ANSWER = """<?xml version="1.0" encoding="utf-8"?>
<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"
xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
xmlns:xsd="http://www.w3.org/2001/XMLSchema">
<soap:Body>
<RollupComputerStatusResponse
xmlns="http://www.microsoft.com/SoftwareDistribution">
<RollupComputerStatusResult>true</RollupComputerStatusResult>
</RollupComputerStatusResponse>
</soap:Body>
</soap:Envelope>"""
