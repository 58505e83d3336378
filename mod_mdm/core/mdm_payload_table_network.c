/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Apple's payload types, part of the table: networks: Wi-Fi, Ethernet, cellular, proxies, names, AirPlay, AirPrint.
 * Data only; looked up through mdm_payload_table.c, in any thread; mdm_payload_table.h says what the members mean.
 */
#include "mdm_payload_table.h"

static const mdm_payload_key_t airplay_allow_list_item[] = {
    MDM_PAYLOAD_KEY("DeviceID", STRING, .deprecated = "i18.0 m15.0"),
    MDM_PAYLOAD_KEY("DeviceName", STRING, .since = "i18.0 m15.0"),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t airplay_allow_list[] = {
    MDM_PAYLOAD_KEY("item", DICT, .keys = airplay_allow_list_item),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t airplay_password[] = {
    MDM_PAYLOAD_KEY("DeviceName", STRING, .required = 1, .since = "m15.0"),
    MDM_PAYLOAD_KEY("Password", STRING, .required = 1, .secret = 1),
    MDM_PAYLOAD_KEY("DeviceID", STRING, .since = "i-", .deprecated = "m15.0"),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t airplay_passwords[] = {
    MDM_PAYLOAD_KEY("item", DICT, .keys = airplay_password),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t airplay[] = {
    MDM_PAYLOAD_KEY("AllowList", ARRAY, .since = "i14.5 m11.3", .supervised = "i", .no_user_enrollment = "i",
                    .keys = airplay_allow_list),
    MDM_PAYLOAD_KEY("Passwords", ARRAY, .keys = airplay_passwords),
    MDM_PAYLOAD_KEY("Whitelist", ARRAY, .deprecated = "i14.5 m11.3", .supervised = "i",
                    .no_user_enrollment = "i", .keys = airplay_allow_list),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t airplay_security[] = {
    MDM_PAYLOAD_KEY("SecurityType", STRING, .required = 1,
                    .values = "PASSCODE_ONCE|PASSCODE_ALWAYS|PASSWORD"),
    MDM_PAYLOAD_KEY("AccessType", STRING, .required = 1, .values = "ANY|WIFI_ONLY"),
    MDM_PAYLOAD_KEY("Password", STRING, .secret = 1),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t airprint_air_print_item[] = {
    MDM_PAYLOAD_KEY("IPAddress", STRING, .required = 1, .since = "i7.0"),
    MDM_PAYLOAD_KEY("ResourcePath", STRING, .required = 1, .since = "i7.0"),
    MDM_PAYLOAD_KEY("Port", INTEGER, .range = "0 65535", .since = "i11.0 m-"),
    MDM_PAYLOAD_KEY("ForceTLS", BOOLEAN, .preset = "false", .since = "i11.0 m-"),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t airprint_air_print[] = {
    MDM_PAYLOAD_KEY("item", DICT, .keys = airprint_air_print_item),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t airprint[] = {
    MDM_PAYLOAD_KEY("AirPrint", ARRAY, .required = 1, .keys = airprint_air_print),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t apn_apn[] = {
    MDM_PAYLOAD_KEY("apn", STRING, .required = 1),
    MDM_PAYLOAD_KEY("username", STRING),
    MDM_PAYLOAD_KEY("password", DATA, .secret = 1),
    MDM_PAYLOAD_KEY("proxy", STRING),
    MDM_PAYLOAD_KEY("proxyPort", INTEGER),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t apn_apns[] = {
    MDM_PAYLOAD_KEY("item", DICT, .keys = apn_apn),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t apn_defaults_data[] = {
    MDM_PAYLOAD_KEY("apns", ARRAY, .required = 1, .keys = apn_apns),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t apn[] = {
    MDM_PAYLOAD_KEY("DefaultsData", DICT, .required = 1, .keys = apn_defaults_data),
    MDM_PAYLOAD_KEY("DefaultsDomainName", STRING, .required = 1, .values = "com.apple.managedCarrier"),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t texts[] = {
    MDM_PAYLOAD_KEY("item", STRING),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t associated_configuration_item[] = {
    MDM_PAYLOAD_KEY("ApplicationIdentifier", STRING, .required = 1),
    MDM_PAYLOAD_KEY("AssociatedDomains", ARRAY, .required = 1, .keys = texts),
    MDM_PAYLOAD_KEY("EnableDirectDownloads", BOOLEAN, .preset = "false", .since = "m11.0"),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t associated_configuration[] = {
    MDM_PAYLOAD_KEY("item", DICT, .keys = associated_configuration_item),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t associated[] = {
    MDM_PAYLOAD_KEY("Configuration", ARRAY, .required = 1, .keys = associated_configuration),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t cellular_attach_apn[] = {
    MDM_PAYLOAD_KEY("Name", STRING, .required = 1),
    MDM_PAYLOAD_KEY("AuthenticationType", STRING, .values = "CHAP|PAP", .preset = "PAP"),
    MDM_PAYLOAD_KEY("Username", STRING),
    MDM_PAYLOAD_KEY("Password", STRING, .secret = 1),
    MDM_PAYLOAD_KEY("AllowedProtocolMask", INTEGER, .values = "1|2|3", .since = "i10.3"),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t cellular_apn[] = {
    MDM_PAYLOAD_KEY("Name", STRING, .required = 1),
    MDM_PAYLOAD_KEY("AuthenticationType", STRING, .values = "CHAP|PAP", .preset = "PAP"),
    MDM_PAYLOAD_KEY("Username", STRING),
    MDM_PAYLOAD_KEY("Password", STRING, .secret = 1),
    MDM_PAYLOAD_KEY("ProxyServer", STRING, .since = "m-"),
    MDM_PAYLOAD_KEY("ProxyPort", INTEGER),
    MDM_PAYLOAD_KEY("DefaultProtocolMask", INTEGER, .values = "1|2|3", .since = "i10.3",
                    .deprecated = "i11.0"),
    MDM_PAYLOAD_KEY("AllowedProtocolMask", INTEGER, .values = "1|2|3", .since = "i10.3"),
    MDM_PAYLOAD_KEY("AllowedProtocolMaskInRoaming", INTEGER, .values = "1|2|3", .since = "i10.3"),
    MDM_PAYLOAD_KEY("AllowedProtocolMaskInDomesticRoaming", INTEGER, .values = "1|2|3", .since = "i10.3"),
    MDM_PAYLOAD_KEY("EnableXLAT464", BOOLEAN, .preset = "false", .since = "i16.0 w9.0"),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t cellular_apns[] = {
    MDM_PAYLOAD_KEY("item", DICT, .keys = cellular_apn),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t cellular[] = {
    MDM_PAYLOAD_KEY("AttachAPN", DICT, .keys = cellular_attach_apn),
    MDM_PAYLOAD_KEY("APNs", ARRAY, .keys = cellular_apns),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t private_network_geofence[] = {
    MDM_PAYLOAD_KEY("Longitude", REAL, .required = 1, .range = "-180 180"),
    MDM_PAYLOAD_KEY("Latitude", REAL, .required = 1, .range = "-90 90"),
    MDM_PAYLOAD_KEY("Radius", REAL, .required = 1, .range = "100 6500"),
    MDM_PAYLOAD_KEY("GeofenceId", STRING, .required = 1),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t private_network_geofences[] = {
    MDM_PAYLOAD_KEY("item", DICT, .keys = private_network_geofence),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t private_network[] = {
    MDM_PAYLOAD_KEY("Geofences", ARRAY, .keys = private_network_geofences),
    MDM_PAYLOAD_KEY("DataSetName", STRING, .required = 1),
    MDM_PAYLOAD_KEY("VersionNumber", STRING, .required = 1),
    MDM_PAYLOAD_KEY("CellularDataPreferred", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("EnableNRStandalone", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("NetworkIdentifier", STRING, .since = "i18.0"),
    MDM_PAYLOAD_KEY("CsgNetworkIdentifier", STRING, .since = "i18.0"),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t dns_proxy[] = {
    MDM_PAYLOAD_KEY("AppBundleIdentifier", STRING, .required = 1),
    MDM_PAYLOAD_KEY("ProviderBundleIdentifier", STRING),
    MDM_PAYLOAD_KEY("ProviderConfiguration", DICT),
    MDM_PAYLOAD_KEY("DNSProxyUUID", STRING, .since = "i16.0 m-"),
    MDM_PAYLOAD_KEY("ProviderDesignatedRequirement", STRING, .since = "i- v-"),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t dns_settings_dns_settings[] = {
    MDM_PAYLOAD_KEY("DNSProtocol", STRING, .required = 1, .values = "HTTPS|TLS"),
    MDM_PAYLOAD_KEY("ServerURL", STRING),
    MDM_PAYLOAD_KEY("ServerName", STRING),
    MDM_PAYLOAD_KEY("ServerAddresses", ARRAY, .keys = texts),
    MDM_PAYLOAD_KEY("SupplementalMatchDomains", ARRAY, .keys = texts),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t dns_settings_action_parameter[] = {
    MDM_PAYLOAD_KEY("Domains", ARRAY, .required = 1, .keys = texts),
    MDM_PAYLOAD_KEY("DomainAction", STRING, .required = 1, .values = "NeverConnect|ConnectIfNeeded"),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t dns_settings_action_parameters[] = {
    MDM_PAYLOAD_KEY("item", DICT, .keys = dns_settings_action_parameter),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t dns_settings_on_demand_rule[] = {
    MDM_PAYLOAD_KEY("Action", STRING, .required = 1, .values = "Connect|Disconnect|EvaluateConnection"),
    MDM_PAYLOAD_KEY("ActionParameters", ARRAY, .keys = dns_settings_action_parameters),
    MDM_PAYLOAD_KEY("DNSDomainMatch", ARRAY, .keys = texts),
    MDM_PAYLOAD_KEY("DNSServerAddressMatch", ARRAY, .keys = texts),
    MDM_PAYLOAD_KEY("InterfaceTypeMatch", STRING, .values = "Ethernet|WiFi|Cellular"),
    MDM_PAYLOAD_KEY("SSIDMatch", ARRAY, .keys = texts),
    MDM_PAYLOAD_KEY("URLStringProbe", STRING),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t dns_settings_on_demand_rules[] = {
    MDM_PAYLOAD_KEY("item", DICT, .keys = dns_settings_on_demand_rule),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t dns_settings[] = {
    MDM_PAYLOAD_KEY("DNSSettings", DICT, .required = 1, .keys = dns_settings_dns_settings),
    MDM_PAYLOAD_KEY("OnDemandRules", ARRAY, .keys = dns_settings_on_demand_rules),
    MDM_PAYLOAD_KEY("ProhibitDisablement", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("PayloadCertificateUUID", STRING, .since = "i16.0 m13.0"),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t domains[] = {
    MDM_PAYLOAD_KEY("EmailDomains", ARRAY, .since = "v-", .keys = texts),
    MDM_PAYLOAD_KEY("WebDomains", ARRAY, .since = "m-", .keys = texts),
    MDM_PAYLOAD_KEY("SafariPasswordAutoFillDomains", ARRAY, .since = "i9.3 m-", .supervised = "i",
                    .keys = texts),
    MDM_PAYLOAD_KEY("CrossSiteTrackingPreventionRelaxedDomains", ARRAY, .since = "i16.2 m13.1",
                    .supervised = "i", .keys = texts),
    MDM_PAYLOAD_KEY("CrossSiteTrackingPreventionRelaxedApps", ARRAY, .since = "i18.0 m15.0", .keys = texts),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t ethernet[] = {
    MDM_PAYLOAD_KEY("*", ANY),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t usage_rules_application_rule[] = {
    MDM_PAYLOAD_KEY("AppIdentifierMatches", ARRAY, .keys = texts),
    MDM_PAYLOAD_KEY("AllowRoamingCellularData", BOOLEAN, .preset = "true"),
    MDM_PAYLOAD_KEY("AllowCellularData", BOOLEAN, .preset = "true"),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t usage_rules_application_rules[] = {
    MDM_PAYLOAD_KEY("item", DICT, .keys = usage_rules_application_rule),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t usage_rules_sim_rule[] = {
    MDM_PAYLOAD_KEY("ICCIDs", ARRAY, .required = 1, .keys = texts),
    MDM_PAYLOAD_KEY("WiFiAssistPolicy", INTEGER, .required = 1, .values = "2|3"),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t usage_rules_sim_rules[] = {
    MDM_PAYLOAD_KEY("item", DICT, .keys = usage_rules_sim_rule),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t usage_rules[] = {
    MDM_PAYLOAD_KEY("ApplicationRules", ARRAY, .keys = usage_rules_application_rules),
    MDM_PAYLOAD_KEY("SIMRules", ARRAY, .since = "i13.0", .keys = usage_rules_sim_rules),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t proxy_http_global[] = {
    MDM_PAYLOAD_KEY("ProxyType", STRING, .values = "Manual|Auto", .preset = "Manual"),
    MDM_PAYLOAD_KEY("ProxyServer", STRING),
    MDM_PAYLOAD_KEY("ProxyServerPort", INTEGER),
    MDM_PAYLOAD_KEY("ProxyUsername", STRING),
    MDM_PAYLOAD_KEY("ProxyPassword", STRING, .secret = 1),
    MDM_PAYLOAD_KEY("ProxyPACURL", STRING),
    MDM_PAYLOAD_KEY("ProxyPACFallbackAllowed", BOOLEAN, .preset = "false", .since = "i7.0"),
    MDM_PAYLOAD_KEY("ProxyCaptiveLoginAllowed", BOOLEAN, .preset = "false", .since = "i7.0"),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t relay_additional_http_header_fields[] = {
    MDM_PAYLOAD_KEY("*", STRING, .secret = 1),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t relay_raw_public_keys[] = {
    MDM_PAYLOAD_KEY("item", DATA),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t relay_relay[] = {
    MDM_PAYLOAD_KEY("HTTP3RelayURL", STRING),
    MDM_PAYLOAD_KEY("HTTP2RelayURL", STRING),
    MDM_PAYLOAD_KEY("AdditionalHTTPHeaderFields", DICT, .keys = relay_additional_http_header_fields),
    MDM_PAYLOAD_KEY("PayloadCertificateUUID", STRING),
    MDM_PAYLOAD_KEY("RawPublicKeys", ARRAY, .keys = relay_raw_public_keys),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t relay_relays[] = {
    MDM_PAYLOAD_KEY("item", DICT, .keys = relay_relay),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t relay[] = {
    MDM_PAYLOAD_KEY("Relays", ARRAY, .required = 1, .keys = relay_relays),
    MDM_PAYLOAD_KEY("MatchDomains", ARRAY, .keys = texts),
    MDM_PAYLOAD_KEY("ExcludedDomains", ARRAY, .keys = texts),
    MDM_PAYLOAD_KEY("RelayUUID", STRING),
    MDM_PAYLOAD_KEY("AllowDNSFailover", BOOLEAN, .preset = "false", .since = "i26.0 m26.0 t26.0 v26.0"),
    MDM_PAYLOAD_KEY("ExcludedFQDNs", ARRAY, .since = "i18.4 m15.4 t18.4 v2.4", .keys = texts),
    MDM_PAYLOAD_KEY("MatchFQDNs", ARRAY, .since = "i18.4 m15.4 t18.4 v2.4", .keys = texts),
    MDM_PAYLOAD_KEY("UIToggleEnabled", BOOLEAN, .preset = "true", .since = "i26.0 m26.0 t26.0 v26.0"),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t tvremote_allowed_remote[] = {
    MDM_PAYLOAD_KEY("RemoteDeviceID", STRING, .required = 1),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t tvremote_allowed_remotes[] = {
    MDM_PAYLOAD_KEY("item", DICT, .keys = tvremote_allowed_remote),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t tvremote_allowed_tv[] = {
    MDM_PAYLOAD_KEY("TVDeviceID", STRING, .required = 1),
    MDM_PAYLOAD_KEY("TVDeviceName", STRING, .since = "i15.0"),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t tvremote_allowed_tvs[] = {
    MDM_PAYLOAD_KEY("item", DICT, .keys = tvremote_allowed_tv),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t tvremote[] = {
    MDM_PAYLOAD_KEY("AllowedRemotes", ARRAY, .since = "i-", .keys = tvremote_allowed_remotes),
    MDM_PAYLOAD_KEY("AllowedTVs", ARRAY, .since = "t-", .keys = tvremote_allowed_tvs),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t web_filter_whitelisted_bookmark[] = {
    MDM_PAYLOAD_KEY("URL", STRING, .required = 1),
    MDM_PAYLOAD_KEY("Title", STRING, .required = 1),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t web_filter_whitelisted_bookmarks[] = {
    MDM_PAYLOAD_KEY("item", DICT, .keys = web_filter_whitelisted_bookmark),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t web_filter[] = {
    MDM_PAYLOAD_KEY("FilterType", STRING, .values = "BuiltIn|Plugin", .preset = "BuiltIn", .since = "i8.0"),
    MDM_PAYLOAD_KEY("AutoFilterEnabled", BOOLEAN, .preset = "false", .since = "m-"),
    MDM_PAYLOAD_KEY("PermittedURLs", ARRAY, .since = "m-", .keys = texts),
    MDM_PAYLOAD_KEY("BlacklistedURLs", ARRAY, .since = "m- v-", .deprecated = "i14.5", .keys = texts),
    MDM_PAYLOAD_KEY("DenyListURLs", ARRAY, .since = "i14.5 m-", .keys = texts),
    MDM_PAYLOAD_KEY("HideDenyListURLs", BOOLEAN, .preset = "false", .since = "i18.0 m- v2.0"),
    MDM_PAYLOAD_KEY("WhitelistedBookmarks", ARRAY, .since = "m- v-", .deprecated = "i14.5",
                    .keys = web_filter_whitelisted_bookmarks),
    MDM_PAYLOAD_KEY("AllowListBookmarks", ARRAY, .since = "i14.5 m-",
                    .keys = web_filter_whitelisted_bookmarks),
    MDM_PAYLOAD_KEY("UserDefinedName", STRING),
    MDM_PAYLOAD_KEY("PluginBundleID", STRING),
    MDM_PAYLOAD_KEY("ServerAddress", STRING),
    MDM_PAYLOAD_KEY("UserName", STRING),
    MDM_PAYLOAD_KEY("Password", STRING, .secret = 1),
    MDM_PAYLOAD_KEY("PayloadCertificateUUID", STRING),
    MDM_PAYLOAD_KEY("Organization", STRING),
    MDM_PAYLOAD_KEY("VendorConfig", DICT),
    MDM_PAYLOAD_KEY("FilterBrowsers", BOOLEAN, .preset = "false", .since = "m-"),
    MDM_PAYLOAD_KEY("FilterSockets", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("FilterDataProviderDesignatedRequirement", STRING, .since = "i- m10.15 v-"),
    MDM_PAYLOAD_KEY("FilterDataProviderBundleIdentifier", STRING, .since = "i- m10.15 v-"),
    MDM_PAYLOAD_KEY("FilterPackets", BOOLEAN, .preset = "false", .since = "i- m10.15 v-"),
    MDM_PAYLOAD_KEY("FilterPacketProviderDesignatedRequirement", STRING, .since = "i- m10.15 v-"),
    MDM_PAYLOAD_KEY("FilterPacketProviderBundleIdentifier", STRING, .since = "i- m10.15 v-"),
    MDM_PAYLOAD_KEY("FilterGrade", STRING, .values = "firewall|inspector", .preset = "firewall",
                    .since = "i- m10.15 v-"),
    MDM_PAYLOAD_KEY("ContentFilterUUID", STRING, .since = "i16.0 m-"),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t wifi_accept_eap_types[] = {
    MDM_PAYLOAD_KEY("item", INTEGER, .values = "13|17|18|21|23|25|43"),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t wifi_eap_client_configuration[] = {
    MDM_PAYLOAD_KEY("AcceptEAPTypes", ARRAY, .required = 1, .keys = wifi_accept_eap_types),
    MDM_PAYLOAD_KEY("UserName", STRING),
    MDM_PAYLOAD_KEY("UserPassword", STRING, .secret = 1),
    MDM_PAYLOAD_KEY("PayloadCertificateAnchorUUID", ARRAY, .keys = texts),
    MDM_PAYLOAD_KEY("TLSTrustedCertificates", ARRAY, .keys = texts),
    MDM_PAYLOAD_KEY("TLSTrustedServerNames", ARRAY, .keys = texts),
    MDM_PAYLOAD_KEY("TLSAllowTrustExceptions", BOOLEAN, .preset = "true", .since = "v-", .removed = "i8.0"),
    MDM_PAYLOAD_KEY("TLSCertificateIsRequired", BOOLEAN, .preset = "false", .since = "i7.0"),
    MDM_PAYLOAD_KEY("TTLSInnerAuthentication", STRING, .values = "PAP|EAP|CHAP|MSCHAP|MSCHAPv2",
                    .preset = "MSCHAPv2"),
    MDM_PAYLOAD_KEY("TLSMinimumVersion", STRING, .values = "1.0|1.1|1.2|1.3", .preset = "1.0",
                    .since = "i11.0 m10.13 t11.0"),
    MDM_PAYLOAD_KEY("TLSMaximumVersion", STRING, .values = "1.0|1.1|1.2|1.3", .preset = "1.2",
                    .since = "i11.0 m10.13 t11.0"),
    MDM_PAYLOAD_KEY("OuterIdentity", STRING),
    MDM_PAYLOAD_KEY("EAPFASTUsePAC", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("EAPFASTProvisionPAC", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("EAPFASTProvisionPACAnonymously", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("EAPSIMNumberOfRANDs", INTEGER, .values = "2|3", .preset = "3", .since = "i8.0"),
    MDM_PAYLOAD_KEY("SystemModeCredentialsSource", STRING),
    MDM_PAYLOAD_KEY("SystemModeUseOpenDirectoryCredentials", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("OneTimeUserPassword", BOOLEAN, .preset = "false", .since = "i8.0 m10.8 t9.0"),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t wifi_qos_marking_policy[] = {
    MDM_PAYLOAD_KEY("QoSMarkingAllowListAppIdentifiers", ARRAY, .since = "i14.5 m14.0", .keys = texts),
    MDM_PAYLOAD_KEY("QoSMarkingWhitelistedAppIdentifiers", ARRAY, .since = "v-", .deprecated = "i14.5 m14.0",
                    .keys = texts),
    MDM_PAYLOAD_KEY("QoSMarkingAppleAudioVideoCalls", BOOLEAN, .preset = "true"),
    MDM_PAYLOAD_KEY("QoSMarkingEnabled", BOOLEAN, .preset = "true"),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t wifi_setup_modes[] = {
    MDM_PAYLOAD_KEY("item", STRING, .values = "System|Loginwindow"),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t wifi[] = {
    MDM_PAYLOAD_KEY("AutoJoin", BOOLEAN, .preset = "true", .since = "i5.0"),
    MDM_PAYLOAD_KEY("SSID_STR", STRING, .since = "i7.0"),
    MDM_PAYLOAD_KEY("HIDDEN_NETWORK", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("ProxyType", STRING, .values = "None|Manual|Auto", .preset = "None",
                    .no_user_enrollment = "iv"),
    MDM_PAYLOAD_KEY("EncryptionType", STRING, .values = "WEP|WPA|WPA2|WPA3|Any|None", .preset = "Any"),
    MDM_PAYLOAD_KEY("Password", STRING, .secret = 1),
    MDM_PAYLOAD_KEY("PayloadCertificateUUID", STRING),
    MDM_PAYLOAD_KEY("EAPClientConfiguration", DICT, .keys = wifi_eap_client_configuration),
    MDM_PAYLOAD_KEY("DisplayedOperatorName", STRING, .since = "i7.0 m10.9"),
    MDM_PAYLOAD_KEY("DomainName", STRING, .since = "i7.0 m10.9"),
    MDM_PAYLOAD_KEY("RoamingConsortiumOIs", ARRAY, .since = "i7.0 m10.9", .keys = texts),
    MDM_PAYLOAD_KEY("ServiceProviderRoamingEnabled", BOOLEAN, .preset = "false", .since = "i7.0 m10.9"),
    MDM_PAYLOAD_KEY("IsHotspot", BOOLEAN, .preset = "false", .since = "i7.0 m10.9"),
    MDM_PAYLOAD_KEY("HESSID", STRING, .since = "i7.0"),
    MDM_PAYLOAD_KEY("NAIRealmNames", ARRAY, .since = "i7.0 m10.9", .keys = texts),
    MDM_PAYLOAD_KEY("MCCAndMNCs", ARRAY, .since = "i7.0 m-", .keys = texts),
    MDM_PAYLOAD_KEY("CaptiveBypass", BOOLEAN, .preset = "false", .since = "i10.0 m-"),
    MDM_PAYLOAD_KEY("QoSMarkingPolicy", DICT, .since = "i10.0 m10.13", .keys = wifi_qos_marking_policy),
    MDM_PAYLOAD_KEY("SetupModes", ARRAY, .since = "i- m10.7 t- v- w-", .keys = wifi_setup_modes),
    MDM_PAYLOAD_KEY("EnableIPv6", BOOLEAN, .preset = "true"),
    MDM_PAYLOAD_KEY("TLSCertificateRequired", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("ProxyServer", STRING, .no_user_enrollment = "imv"),
    MDM_PAYLOAD_KEY("ProxyServerPort", INTEGER, .range = "0 65535", .no_user_enrollment = "imv"),
    MDM_PAYLOAD_KEY("ProxyUsername", STRING, .no_user_enrollment = "imv"),
    MDM_PAYLOAD_KEY("ProxyPassword", STRING, .secret = 1, .no_user_enrollment = "iv"),
    MDM_PAYLOAD_KEY("ProxyPACURL", STRING, .no_user_enrollment = "imv"),
    MDM_PAYLOAD_KEY("ProxyPACFallbackAllowed", BOOLEAN, .preset = "false", .no_user_enrollment = "imv"),
    MDM_PAYLOAD_KEY("DisableAssociationMACRandomization", BOOLEAN, .preset = "false",
                    .since = "i14.0 m15.0 t- w7.0", .no_user_enrollment = "imv"),
    MDM_PAYLOAD_KEY("AllowJoinBeforeFirstUnlock", BOOLEAN, .preset = "false", .since = "i- m- t- v26.0 w-"),
    MDM_PAYLOAD_KEYS_END
};

const mdm_payload_type_t mdm_payloads_network[] = {
    MDM_PAYLOAD_TYPE("com.apple.airplay", "AirPlay", airplay, .since = "i7.0 m10.10", .user_enrollment = "im",
                    .mac = "DU", .shared_ipad = "D"),
    MDM_PAYLOAD_TYPE("com.apple.airplay.security", "AirPlay Security", airplay_security, .since = "t11.0",
                    .single = "t"),
    MDM_PAYLOAD_TYPE("com.apple.airprint", "AirPrint", airprint, .since = "i7.0 m10.10 v2.0",
                    .user_enrollment = "imv", .mac = "DU", .shared_ipad = "D"),
    MDM_PAYLOAD_TYPE("com.apple.apn.managed", "APN", apn, .since = "i4.0", .deprecated = "i7.0",
                    .single = "i", .shared_ipad = "D", .slot = "com.apple.cellular"),
    MDM_PAYLOAD_TYPE("com.apple.associated-domains", "Associated Domains", associated, .since = "m10.15",
                    .user_enrollment = "m", .mac = "DU"),
    MDM_PAYLOAD_TYPE("com.apple.cellular", "Cellular", cellular, .since = "i7.0 w3.2", .single = "iw",
                    .shared_ipad = "D"),
    MDM_PAYLOAD_TYPE("com.apple.cellularprivatenetwork.managed", "Cellular Private Network", private_network,
                    .since = "i17.0", .user_enrollment = "i", .shared_ipad = "D"),
    MDM_PAYLOAD_TYPE("com.apple.dnsProxy.managed", "DNS Proxy", dns_proxy, .since = "i11.0 m10.15 v1.1",
                    .user_enrollment = "iv", .single = "imv", .mac = "D", .shared_ipad = "D"),
    MDM_PAYLOAD_TYPE("com.apple.dnsSettings.managed", "DNS Settings", dns_settings,
                    .since = "i14.0 m11.0 v1.0", .mac = "D", .shared_ipad = "D"),
    MDM_PAYLOAD_TYPE("com.apple.domains", "Domains", domains, .since = "i8.0 m10.10 v2.0", .single = "imv",
                    .mac = "DU", .shared_ipad = "DU"),
    MDM_PAYLOAD_TYPE("com.apple.firstactiveethernet.managed", "802.1X: First Active Ethernet", ethernet,
                    .since = "m10.7", .user_enrollment = "m", .single = "m", .mac = "DU"),
    MDM_PAYLOAD_TYPE("com.apple.firstethernet.managed", "802.1X: First Ethernet", ethernet, .since = "m10.7",
                    .user_enrollment = "m", .single = "m", .mac = "DU"),
    MDM_PAYLOAD_TYPE("com.apple.globalethernet.managed", "802.1X: Global Ethernet", ethernet,
                    .since = "i17.0 m10.13 t17.0", .user_enrollment = "im", .single = "imt", .mac = "DU",
                    .shared_ipad = "DU"),
    MDM_PAYLOAD_TYPE("com.apple.networkusagerules", "Network Usage Rules", usage_rules, .since = "i9.0",
                    .single = "i", .shared_ipad = "D"),
    MDM_PAYLOAD_TYPE("com.apple.proxy.http.global", "Global HTTP Proxy", proxy_http_global,
                    .since = "i6.0 m10.9 t9.0 v2.0", .supervised = "itv", .single = "imtv", .mac = "D",
                    .shared_ipad = "D"),
    MDM_PAYLOAD_TYPE("com.apple.relay.managed", "Relay", relay, .since = "i17.0 m14.0 t17.0 v1.0",
                    .user_enrollment = "iv", .mac = "DU", .shared_ipad = "D"),
    MDM_PAYLOAD_TYPE("com.apple.secondactiveethernet.managed", "802.1X: Second Active Ethernet", ethernet,
                    .since = "m10.7", .user_enrollment = "m", .single = "m", .mac = "DU"),
    MDM_PAYLOAD_TYPE("com.apple.secondethernet.managed", "802.1X: Second Ethernet", ethernet,
                    .since = "m10.7", .user_enrollment = "m", .single = "m", .mac = "DU"),
    MDM_PAYLOAD_TYPE("com.apple.thirdactiveethernet.managed", "802.1X: Third Active Ethernet", ethernet,
                    .since = "m10.7", .user_enrollment = "m", .single = "m", .mac = "DU"),
    MDM_PAYLOAD_TYPE("com.apple.thirdethernet.managed", "802.1X: Third Ethernet", ethernet, .since = "m10.7",
                    .user_enrollment = "m", .single = "m", .mac = "DU"),
    MDM_PAYLOAD_TYPE("com.apple.tvremote", "TV Remote", tvremote, .since = "i11.3 t11.3", .supervised = "it",
                    .single = "it", .shared_ipad = "DU"),
    MDM_PAYLOAD_TYPE("com.apple.webcontent-filter", "Web Content Filter", web_filter,
                    .since = "i7.0 m10.15 v1.1", .user_enrollment = "iv", .mac = "D", .shared_ipad = "D"),
    MDM_PAYLOAD_TYPE("com.apple.wifi.managed", "Wi-Fi", wifi, .since = "i4.0 m10.7 t9.0 v1.0 w3.2",
                    .user_enrollment = "imv", .mac = "DU", .shared_ipad = "D"),
    MDM_PAYLOAD_TYPES_END
};
