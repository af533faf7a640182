// SPDX-License-Identifier: GPL-3.0-or-later
//
// A downstream server's whole conversation through mono's ASMX proxies, the
// stack of a real one.  downstream.sh generates the proxies and builds it.
//
//   downstream.exe http://127.0.0.1:8530 1.1|1.2

using System;
using System.Linq;
using System.Web.Services.Protocols;

class Downstream
{
	static int failures;

	static void Check(string what, bool good)
	{
		Console.WriteLine((good ? "ok   " : "FAIL ") + what);
		if (!good)
			failures++;
	}

	static string CodeOf(Action call)
	{
		try {
			call();
			return "no fault";
		} catch (SoapException e) {
			var code = e.Detail == null ? null
				: e.Detail["ErrorCode"] ??
				  e.Detail.ChildNodes.Cast<System.Xml.XmlNode>()
					.FirstOrDefault(n => n.LocalName == "ErrorCode");
			return code == null ? "no ErrorCode" : code.InnerText;
		}
	}

	static int Main(string[] args)
	{
		var root = args[0];
		var version = args[1] == "1.2" ? SoapProtocolVersion.Soap12
					       : SoapProtocolVersion.Soap11;
		var auth = Find<SoapHttpClientProtocol>("dssauth");
		var sync = Find<SoapHttpClientProtocol>("serversync");
		var report = Find<SoapHttpClientProtocol>("reporting");
		foreach (var proxy in new[] {auth, sync, report})
			proxy.SoapVersion = version;
		sync.Url = root + "/ServerSyncWebService/ServerSyncWebService.asmx";
		report.Url = root + "/ReportingWebService/ReportingWebService.asmx";

		var s = (dynamic)sync;
		serversync.ServerAuthConfig config = s.GetAuthConfig();
		Check("GetAuthConfig", config.AuthInfo.Length == 1 &&
		      config.AuthInfo[0].PlugInID == "DssTargeting");
		auth.Url = root + "/" + config.AuthInfo[0].ServiceUrl;
		var id = Guid.NewGuid();
		dssauth.AuthorizationCookie ticket =
			((dynamic)auth).GetAuthorizationCookie(
				"mono.example.com", id.ToString(), null);
		Check("GetAuthorizationCookie", ticket.CookieData.Length > 0);
		serversync.Cookie cookie = s.GetCookie(
			new[] {new serversync.AuthorizationCookie {
				PlugInId = ticket.PlugInId,
				CookieData = ticket.CookieData}}, null, "1.20");
		Check("GetCookie", cookie.EncryptedData.Length > 0 &&
		      cookie.Expiration > DateTime.UtcNow);
		serversync.ServerSyncConfigData data = s.GetConfigData(cookie, null);
		Check("GetConfigData", data.MaxNumberOfUpdatesPerRequest == 100 &&
		      data.LanguageUpdateList.Length > 0 &&
		      data.ProtocolVersion == "1.20" &&
		      data.NewConfigAnchor.Contains(","));
		serversync.RevisionIdList list = s.GetRevisionIdList(cookie,
			new serversync.ServerSyncFilter {GetConfig = true});
		Check("GetRevisionIdList", list.NewRevisions != null &&
		      list.Anchor.Length > 0);
		Console.WriteLine("     " + list.NewRevisions.Length + " revisions");
		if (list.NewRevisions.Length > 0) {
			serversync.ServerUpdateData updates =
				s.GetUpdateData(cookie, list.NewRevisions
						.Take(100).ToArray());
			Check("GetUpdateData", updates.updates.Length ==
			      Math.Min(100, list.NewRevisions.Length) &&
			      updates.updates.All(u =>
				(u.XmlUpdateBlob != null) !=
				(u.XmlUpdateBlobCompressed != null)));
		}
		serversync.ServerSyncDeploymentResult deployments =
			s.GetDeployments(cookie, null, list.Anchor);
		Check("GetDeployments", deployments.Groups.Length >= 2);
		serversync.ServerDecryptionData keys =
			s.GetUpdateDecryptionData(cookie,
				new serversync.UpdateIdentity[0]);
		Check("GetUpdateDecryptionData", keys != null);
		Check("Ping", ((serversync.MonitoredServicesResponse)s.Ping(0))
		      .SuccessFlag);
		var bad = new serversync.Cookie {Expiration = cookie.Expiration,
			EncryptedData = new byte[] {1, 2, 3}};
		Check("a bad cookie", CodeOf(() => s.GetConfigData(bad, null)) ==
		      "InvalidCookie");
		Check("an anchor that is none", CodeOf(() =>
			s.GetDeployments(cookie, null, "none")) ==
		      "InvalidParameters");
		Report((dynamic)report, id);
		return failures == 0 ? 0 : 1;
	}

	static void Report(dynamic r, Guid id)
	{
		var dummy = new reporting.Cookie {
			Expiration = DateTime.MaxValue,
			EncryptedData = new byte[0]};
		var now = DateTime.UtcNow;
		reporting.RollupConfiguration rollup =
			r.GetRollupConfiguration(dummy);
		Check("GetRollupConfiguration", rollup.DoDetailedRollup &&
		      rollup.RollupComputersMaxBatchSize == 1500);
		r.RollupDownstreamServers(dummy, now, new[] {
			new reporting.DownstreamServerRollupInfo {
				ServerId = id, FullDomainName = "mono.example.com",
				LastSyncTime = now, Version = "10.0.20348.1",
				LastRollupTime = now,
				ServerSummary = new reporting.
					DownstreamServerRollupServerSummary(),
				ClientSummaries = new reporting.
					DownstreamServerRollupClientSummary[0]}});
		Check("RollupDownstreamServers", true);
		var pc = Guid.NewGuid().ToString();
		var computer = new reporting.ComputerRollupInfo {
			ComputerId = pc, LastSyncTime = now, LastSyncResult = 1,
			LastReportedRebootTime = DateTime.MinValue,
			LastReportedStatusTime = now,
			LastInventoryTime = DateTime.MinValue, ParentServerId = id};
		reporting.ChangedComputer[] changed = r.RollupComputers(dummy, now,
			new[] {computer});
		Check("RollupComputers asks for details", changed.Length == 1 &&
		      changed[0].ComputerId == pc &&
		      changed[0].Change.ToString() == "NewParent");
		computer.Details = new reporting.ComputerRollupDetails {
			FullDomainName = "pc1.example.com", IPAddress = "10.0.0.7",
			OSMajorVersion = 10, OSBuildNumber = 19045,
			BiosReleaseDate = now, ClientVersion = "10.0.19041.1"};
		changed = r.RollupComputers(dummy, now, new[] {computer});
		Check("RollupComputers with details", changed.Length == 0);
		var ask = new[] {new reporting.ComputerLastRollupNumber {
			ComputerId = pc, RollupNumber = 1}};
		string[] out_of_sync = r.GetOutOfSyncComputers(dummy, id, ask);
		Check("GetOutOfSyncComputers before", out_of_sync.Length == 1 &&
		      out_of_sync[0] == pc);
		var status = new[] {4, 5}.Select(state =>
			new reporting.ComputerStatusRollupUpdateStatus {
				UpdateId = Guid.NewGuid(),
				SummarizationState = state,
				LastChangeTime = now}).ToArray();
		bool done = r.RollupComputerStatus(dummy, now, id, new[] {
			new reporting.ComputerStatusRollupInfo {
				InstanceId = Guid.NewGuid(), ComputerId = pc,
				EffectiveLastDetectionTime = now,
				RollupNumber = 1, IsFullRollup = true,
				UpdateStatus = status}});
		Check("RollupComputerStatus", done);
		out_of_sync = r.GetOutOfSyncComputers(dummy, id, ask);
		Check("GetOutOfSyncComputers after", out_of_sync.Length == 0);
		Check("Ping of reporting",
		      ((reporting.MonitoredServicesResponse)r.Ping(0)).SuccessFlag);
	}

	static T Find<T>(string space)
	{
		var type = typeof(Downstream).Assembly.GetTypes().Single(t =>
			t.Namespace == space && typeof(T).IsAssignableFrom(t));
		return (T)Activator.CreateInstance(type);
	}
}
