/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Apple's payload types, part of the table: VPN, for devices and for apps.
 * Data only; looked up through mdm_payload_table.c, in any thread; mdm_payload_table.h says what the members mean.
 */
#include "mdm_payload_table.h"

static const mdm_payload_key_t vpn_vendor_config[] = {
    MDM_PAYLOAD_KEY("Realm", STRING),
    MDM_PAYLOAD_KEY("Role", STRING),
    MDM_PAYLOAD_KEY("Group", STRING),
    MDM_PAYLOAD_KEY("LoginGroupOrDomain", STRING),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t texts[] = {
    MDM_PAYLOAD_KEY("item", STRING),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t vpn_action_parameter[] = {
    MDM_PAYLOAD_KEY("Domains", ARRAY, .required = 1, .keys = texts),
    MDM_PAYLOAD_KEY("DomainAction", STRING, .required = 1, .values = "ConnectIfNeeded|NeverConnect"),
    MDM_PAYLOAD_KEY("RequiredDNSServers", ARRAY, .keys = texts),
    MDM_PAYLOAD_KEY("RequiredURLStringProbe", STRING),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t vpn_action_parameters[] = {
    MDM_PAYLOAD_KEY("item", DICT, .keys = vpn_action_parameter),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t vpn_on_demand_rule[] = {
    MDM_PAYLOAD_KEY("Action", STRING, .required = 1,
                    .values = "Allow|Connect|Disconnect|EvaluateConnection|Ignore"),
    MDM_PAYLOAD_KEY("ActionParameters", ARRAY, .keys = vpn_action_parameters),
    MDM_PAYLOAD_KEY("DNSDomainMatch", ARRAY, .keys = texts),
    MDM_PAYLOAD_KEY("DNSServerAddressMatch", ARRAY, .keys = texts),
    MDM_PAYLOAD_KEY("InterfaceTypeMatch", STRING, .values = "Ethernet|WiFi|Cellular"),
    MDM_PAYLOAD_KEY("SSIDMatch", ARRAY, .keys = texts),
    MDM_PAYLOAD_KEY("URLStringProbe", STRING),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t vpn_on_demand_rules[] = {
    MDM_PAYLOAD_KEY("item", DICT, .keys = vpn_on_demand_rule),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t vpn_vpn[] = {
    MDM_PAYLOAD_KEY("AuthenticationMethod", STRING, .values = "Password|Certificate|Password+Certificate",
                    .preset = "Password"),
    MDM_PAYLOAD_KEY("PayloadCertificateUUID", STRING),
    MDM_PAYLOAD_KEY("Password", STRING, .secret = 1),
    MDM_PAYLOAD_KEY("ProviderBundleIdentifier", STRING),
    MDM_PAYLOAD_KEY("ProviderDesignatedRequirement", STRING, .since = "i- m10.15 v-"),
    MDM_PAYLOAD_KEY("DisconnectOnIdle", INTEGER, .values = "0|1", .preset = "0"),
    MDM_PAYLOAD_KEY("DisconnectOnIdleTimer", INTEGER),
    MDM_PAYLOAD_KEY("ProviderType", STRING, .values = "packet-tunnel|app-proxy", .preset = "packet-tunnel"),
    MDM_PAYLOAD_KEY("IncludeAllNetworks", INTEGER, .values = "0|1", .preset = "0",
                    .since = "i14.0 m10.15 t-"),
    MDM_PAYLOAD_KEY("EnforceRoutes", INTEGER, .values = "0|1", .preset = "0", .since = "i14.2 m11.0"),
    MDM_PAYLOAD_KEY("ExcludeLocalNetworks", INTEGER, .values = "0|1", .since = "i14.2 m10.15 t-"),
    MDM_PAYLOAD_KEY("ExcludeCellularServices", INTEGER, .values = "0|1", .preset = "1",
                    .since = "i16.4 m13.3 t-"),
    MDM_PAYLOAD_KEY("ExcludeAPNs", INTEGER, .values = "0|1", .preset = "1", .since = "i16.4 m13.3 t-"),
    MDM_PAYLOAD_KEY("ExcludeDeviceCommunication", INTEGER, .values = "0|1", .preset = "1",
                    .since = "i17.4 m14.4 t- v1.1"),
    MDM_PAYLOAD_KEY("OnDemandEnabled", INTEGER, .values = "0|1", .preset = "0"),
    MDM_PAYLOAD_KEY("OnDemandUserOverrideDisabled", INTEGER, .values = "0|1", .preset = "0",
                    .since = "i14.0 m-"),
    MDM_PAYLOAD_KEY("OnDemandMatchDomainsAlways", ARRAY, .deprecated = "i7.0", .keys = texts),
    MDM_PAYLOAD_KEY("OnDemandMatchDomainsNever", ARRAY, .deprecated = "i7.0", .keys = texts),
    MDM_PAYLOAD_KEY("OnDemandMatchDomainsOnRetry", ARRAY, .deprecated = "i7.0", .keys = texts),
    MDM_PAYLOAD_KEY("OnDemandRules", ARRAY, .keys = vpn_on_demand_rules),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t vpn_ipv4[] = {
    MDM_PAYLOAD_KEY("OverridePrimary", INTEGER, .values = "0|1", .preset = "0"),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t vpn_auth_eap_plugins[] = {
    MDM_PAYLOAD_KEY("item", STRING, .values = "EAP-RSA|EAP-TLS|EAP-KRB"),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t vpn_auth_protocol[] = {
    MDM_PAYLOAD_KEY("item", STRING, .values = "EAP"),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t vpn_ppp[] = {
    MDM_PAYLOAD_KEY("AuthName", STRING),
    MDM_PAYLOAD_KEY("AuthPassword", STRING, .secret = 1),
    MDM_PAYLOAD_KEY("TokenCard", INTEGER, .values = "0|1", .preset = "0"),
    MDM_PAYLOAD_KEY("CommRemoteAddress", STRING),
    MDM_PAYLOAD_KEY("AuthEAPPlugins", ARRAY, .range = "1 1", .keys = vpn_auth_eap_plugins),
    MDM_PAYLOAD_KEY("AuthProtocol", ARRAY, .range = "1 1", .keys = vpn_auth_protocol),
    MDM_PAYLOAD_KEY("CCPMPPE40Enabled", INTEGER, .values = "0|1"),
    MDM_PAYLOAD_KEY("CCPMPPE128Enabled", INTEGER, .values = "0|1"),
    MDM_PAYLOAD_KEY("CCPEnabled", INTEGER, .values = "0|1"),
    MDM_PAYLOAD_KEY("DisconnectOnIdle", INTEGER, .values = "0|1", .preset = "0"),
    MDM_PAYLOAD_KEY("DisconnectOnIdleTimer", INTEGER),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t vpn_ipsec[] = {
    MDM_PAYLOAD_KEY("RemoteAddress", STRING),
    MDM_PAYLOAD_KEY("AuthenticationMethod", STRING, .values = "SharedSecret|Certificate",
                    .preset = "SharedSecret"),
    MDM_PAYLOAD_KEY("XAuthName", STRING),
    MDM_PAYLOAD_KEY("XAuthPassword", STRING, .secret = 1),
    MDM_PAYLOAD_KEY("XAuthEnabled", INTEGER, .values = "0|1"),
    MDM_PAYLOAD_KEY("XAuthPasswordEncryption", STRING, .values = "Prompt"),
    MDM_PAYLOAD_KEY("LocalIdentifier", STRING),
    MDM_PAYLOAD_KEY("LocalIdentifierType", STRING, .values = "KeyID", .preset = "KeyID"),
    MDM_PAYLOAD_KEY("SharedSecret", DATA, .secret = 1),
    MDM_PAYLOAD_KEY("PayloadCertificateUUID", STRING),
    MDM_PAYLOAD_KEY("PromptForVPNPIN", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("DisconnectOnIdle", INTEGER, .values = "0|1", .preset = "0"),
    MDM_PAYLOAD_KEY("DisconnectOnIdleTimer", INTEGER),
    MDM_PAYLOAD_KEY("OnDemandEnabled", INTEGER, .values = "0|1", .preset = "0"),
    MDM_PAYLOAD_KEY("OnDemandMatchDomainsAlways", ARRAY, .deprecated = "i7.0", .keys = texts),
    MDM_PAYLOAD_KEY("OnDemandMatchDomainsNever", ARRAY, .deprecated = "i7.0", .keys = texts),
    MDM_PAYLOAD_KEY("OnDemandMatchDomainsOnRetry", ARRAY, .deprecated = "i7.0", .keys = texts),
    MDM_PAYLOAD_KEY("OnDemandRules", ARRAY, .keys = vpn_on_demand_rules),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t vpn_ike_security_association_parameters[] = {
    MDM_PAYLOAD_KEY("EncryptionAlgorithm", STRING,
                    .values = "DES|3DES|AES-128|AES-256|AES-128-GCM|AES-256-GCM|ChaCha20Poly1305",
                    .preset = "AES-256"),
    MDM_PAYLOAD_KEY("IntegrityAlgorithm", STRING, .values = "SHA1-96|SHA1-160|SHA2-256|SHA2-384|SHA2-512",
                    .preset = "SHA2-256"),
    MDM_PAYLOAD_KEY("DiffieHellmanGroup", INTEGER, .values = "1|2|5|14|15|16|17|18|19|20|21|31|32",
                    .preset = "14"),
    MDM_PAYLOAD_KEY("LifeTimeInMinutes", INTEGER, .range = "10 1440", .preset = "1440"),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t vpn_ikev2[] = {
    MDM_PAYLOAD_KEY("RemoteAddress", STRING, .required = 1),
    MDM_PAYLOAD_KEY("LocalIdentifier", STRING, .required = 1),
    MDM_PAYLOAD_KEY("RemoteIdentifier", STRING, .required = 1),
    MDM_PAYLOAD_KEY("AuthenticationMethod", STRING, .required = 1, .values = "None|SharedSecret|Certificate"),
    MDM_PAYLOAD_KEY("CertificateType", STRING, .values = "RSA|ECDSA256|ECDSA384|ECDSA521|RSA-PSS",
                    .preset = "RSA"),
    MDM_PAYLOAD_KEY("PayloadCertificateUUID", STRING),
    MDM_PAYLOAD_KEY("Password", STRING, .secret = 1),
    MDM_PAYLOAD_KEY("ProviderBundleIdentifier", STRING),
    MDM_PAYLOAD_KEY("ProviderDesignatedRequirement", STRING, .since = "i- m10.15 v-"),
    MDM_PAYLOAD_KEY("SharedSecret", STRING, .secret = 1),
    MDM_PAYLOAD_KEY("ExtendedAuthEnabled", INTEGER, .values = "0|1", .preset = "0"),
    MDM_PAYLOAD_KEY("AuthName", STRING),
    MDM_PAYLOAD_KEY("AuthPassword", STRING, .secret = 1),
    MDM_PAYLOAD_KEY("OnDemandEnabled", INTEGER, .values = "0|1", .preset = "0"),
    MDM_PAYLOAD_KEY("OnDemandUserOverrideDisabled", INTEGER, .values = "0|1", .preset = "0",
                    .since = "i14.0 m-"),
    MDM_PAYLOAD_KEY("OnDemandRules", ARRAY, .keys = vpn_on_demand_rules),
    MDM_PAYLOAD_KEY("DeadPeerDetectionRate", STRING, .values = "None|Low|Medium|High", .preset = "Medium",
                    .since = "w-"),
    MDM_PAYLOAD_KEY("ServerCertificateIssuerCommonName", STRING),
    MDM_PAYLOAD_KEY("ServerCertificateCommonName", STRING),
    MDM_PAYLOAD_KEY("TLSMinimumVersion", STRING, .values = "1.0|1.1|1.2", .preset = "1.0",
                    .since = "i11.0 m10.13"),
    MDM_PAYLOAD_KEY("TLSMaximumVersion", STRING, .values = "1.0|1.1|1.2", .preset = "1.2",
                    .since = "i11.0 m10.13"),
    MDM_PAYLOAD_KEY("UseConfigurationAttributeInternalIPSubnet", INTEGER, .values = "0|1", .preset = "0",
                    .since = "i9.0"),
    MDM_PAYLOAD_KEY("DisableMOBIKE", INTEGER, .values = "0|1", .preset = "0", .since = "i9.0"),
    MDM_PAYLOAD_KEY("DisableRedirect", INTEGER, .values = "0|1", .preset = "0", .since = "i9.0"),
    MDM_PAYLOAD_KEY("DisconnectOnIdle", INTEGER, .values = "0|1", .preset = "0"),
    MDM_PAYLOAD_KEY("DisconnectOnIdleTimer", INTEGER),
    MDM_PAYLOAD_KEY("NATKeepAliveOffloadEnable", INTEGER, .values = "0|1", .preset = "1", .since = "i9.0"),
    MDM_PAYLOAD_KEY("NATKeepAliveInterval", INTEGER, .preset = "20", .since = "i9.0"),
    MDM_PAYLOAD_KEY("EnablePFS", INTEGER, .values = "0|1", .preset = "0", .since = "i9.0"),
    MDM_PAYLOAD_KEY("EnableCertificateRevocationCheck", INTEGER, .values = "0|1", .preset = "0",
                    .since = "i9.0"),
    MDM_PAYLOAD_KEY("EnableFallback", INTEGER, .values = "0|1", .preset = "0", .since = "i13.0 m- w-"),
    MDM_PAYLOAD_KEY("MTU", INTEGER, .range = "1280 1400", .preset = "1280", .since = "i14.0 m11.0"),
    MDM_PAYLOAD_KEY("ProviderType", STRING, .values = "packet-tunnel|app-proxy", .preset = "packet-tunnel"),
    MDM_PAYLOAD_KEY("IncludeAllNetworks", INTEGER, .values = "0|1", .preset = "0",
                    .since = "i14.0 m10.15 t- w-"),
    MDM_PAYLOAD_KEY("EnforceRoutes", INTEGER, .values = "0|1", .preset = "0", .since = "i14.2 m11.0 w-"),
    MDM_PAYLOAD_KEY("ExcludeLocalNetworks", INTEGER, .values = "0|1", .since = "i14.2 m10.15 t- w-"),
    MDM_PAYLOAD_KEY("ExcludeCellularServices", INTEGER, .values = "0|1", .preset = "1",
                    .since = "i16.4 m13.3 t- w-"),
    MDM_PAYLOAD_KEY("ExcludeAPNs", INTEGER, .values = "0|1", .preset = "1", .since = "i16.4 m13.3 t- w-"),
    MDM_PAYLOAD_KEY("ExcludeDeviceCommunication", INTEGER, .values = "0|1", .preset = "1",
                    .since = "i17.4 m14.4 t- v1.1 w-"),
    MDM_PAYLOAD_KEY("PPK", DATA, .since = "i18.0 m15.0 t18.0 v2.0 w11.0"),
    MDM_PAYLOAD_KEY("PPKIdentifier", STRING, .since = "i18.0 m15.0 t18.0 v2.0 w11.0"),
    MDM_PAYLOAD_KEY("PPKMandatory", INTEGER, .values = "0|1", .preset = "1",
                    .since = "i18.0 m15.0 t18.0 v2.0 w11.0"),
    MDM_PAYLOAD_KEY("IKESecurityAssociationParameters", DICT,
                    .keys = vpn_ike_security_association_parameters),
    MDM_PAYLOAD_KEY("ChildSecurityAssociationParameters", DICT,
                    .keys = vpn_ike_security_association_parameters),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t vpn_dns[] = {
    MDM_PAYLOAD_KEY("DNSProtocol", STRING, .required = 1, .values = "Cleartext|HTTPS|TLS",
                    .since = "i14.0 m11.0"),
    MDM_PAYLOAD_KEY("ServerURL", STRING, .since = "i14.0 m11.0"),
    MDM_PAYLOAD_KEY("ServerName", STRING, .since = "i14.0 m11.0"),
    MDM_PAYLOAD_KEY("ServerAddresses", ARRAY, .required = 1, .since = "i10.0 m10.12", .keys = texts),
    MDM_PAYLOAD_KEY("SearchDomains", ARRAY, .since = "i10.0 m10.12", .keys = texts),
    MDM_PAYLOAD_KEY("DomainName", STRING, .since = "i10.0 m10.12"),
    MDM_PAYLOAD_KEY("SupplementalMatchDomains", ARRAY, .since = "i10.0 m10.12", .keys = texts),
    MDM_PAYLOAD_KEY("SupplementalMatchDomainsNoSearch", INTEGER, .values = "0|1", .preset = "0",
                    .since = "i10.0 m10.12"),
    MDM_PAYLOAD_KEY("PayloadCertificateUUID", STRING, .since = "i16.0 m13.0"),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t vpn_proxies[] = {
    MDM_PAYLOAD_KEY("ProxyAutoConfigEnable", INTEGER, .values = "0|1"),
    MDM_PAYLOAD_KEY("ProxyAutoDiscoveryEnable", INTEGER, .values = "0|1", .preset = "1"),
    MDM_PAYLOAD_KEY("ProxyAutoConfigURLString", STRING),
    MDM_PAYLOAD_KEY("SupplementalMatchDomains", ARRAY, .keys = texts),
    MDM_PAYLOAD_KEY("HTTPEnable", INTEGER, .values = "0|1", .preset = "0"),
    MDM_PAYLOAD_KEY("HTTPProxy", STRING),
    MDM_PAYLOAD_KEY("HTTPPort", INTEGER, .range = "0 65535"),
    MDM_PAYLOAD_KEY("HTTPProxyUsername", STRING),
    MDM_PAYLOAD_KEY("HTTPProxyPassword", STRING, .secret = 1),
    MDM_PAYLOAD_KEY("HTTPSEnable", INTEGER, .values = "0|1", .preset = "0"),
    MDM_PAYLOAD_KEY("HTTPSProxy", STRING),
    MDM_PAYLOAD_KEY("HTTPSPort", INTEGER, .range = "0 65535"),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t vpn_interfaces[] = {
    MDM_PAYLOAD_KEY("item", STRING, .values = "Cellular|WiFi"),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t vpn_tunnel_configuration[] = {
    MDM_PAYLOAD_KEY("ProtocolType", STRING, .required = 1, .values = "IKEv2"),
    MDM_PAYLOAD_KEY("Interfaces", ARRAY, .keys = vpn_interfaces),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t vpn_tunnel_configurations[] = {
    MDM_PAYLOAD_KEY("item", DICT, .keys = vpn_tunnel_configuration),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t vpn_service_exception[] = {
    MDM_PAYLOAD_KEY("ServiceName", STRING, .required = 1,
                    .values = "VoiceMail|AirPrint|CellularServices|DeviceCommunication"),
    MDM_PAYLOAD_KEY("Action", STRING, .required = 1, .values = "Allow|Drop"),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t vpn_service_exceptions[] = {
    MDM_PAYLOAD_KEY("item", DICT, .keys = vpn_service_exception),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t vpn_limit_to_protocols[] = {
    MDM_PAYLOAD_KEY("item", STRING, .values = "UDP"),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t vpn_application_exception[] = {
    MDM_PAYLOAD_KEY("BundleIdentifier", STRING, .required = 1),
    MDM_PAYLOAD_KEY("LimitToProtocols", ARRAY, .keys = vpn_limit_to_protocols),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t vpn_application_exceptions[] = {
    MDM_PAYLOAD_KEY("item", DICT, .keys = vpn_application_exception),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t vpn_allowed_captive_network_plugin[] = {
    MDM_PAYLOAD_KEY("BundleIdentifier", STRING, .required = 1),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t vpn_allowed_captive_network_plugins[] = {
    MDM_PAYLOAD_KEY("item", DICT, .keys = vpn_allowed_captive_network_plugin),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t vpn_always_on[] = {
    MDM_PAYLOAD_KEY("UIToggleEnabled", INTEGER, .values = "0|1", .preset = "0"),
    MDM_PAYLOAD_KEY("TunnelConfigurations", ARRAY, .required = 1, .keys = vpn_tunnel_configurations),
    MDM_PAYLOAD_KEY("ServiceExceptions", ARRAY, .keys = vpn_service_exceptions),
    MDM_PAYLOAD_KEY("ApplicationExceptions", ARRAY, .since = "i13.6", .keys = vpn_application_exceptions),
    MDM_PAYLOAD_KEY("AllowCaptiveWebSheet", INTEGER, .values = "0|1", .preset = "0"),
    MDM_PAYLOAD_KEY("AllowAllCaptiveNetworkPlugins", INTEGER, .values = "0|1", .preset = "0"),
    MDM_PAYLOAD_KEY("AllowedCaptiveNetworkPlugins", ARRAY, .keys = vpn_allowed_captive_network_plugins),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t vpn_transparent_proxy[] = {
    MDM_PAYLOAD_KEY("AuthenticationMethod", STRING, .values = "Password|Certificate|Password+Certificate",
                    .preset = "Password"),
    MDM_PAYLOAD_KEY("DisconnectOnIdle", INTEGER, .values = "0|1", .preset = "0"),
    MDM_PAYLOAD_KEY("DisconnectOnIdleTimer", INTEGER),
    MDM_PAYLOAD_KEY("EnforceRoutes", INTEGER, .values = "0|1", .preset = "0"),
    MDM_PAYLOAD_KEY("OnDemandEnabled", INTEGER, .values = "0|1", .preset = "0"),
    MDM_PAYLOAD_KEY("OnDemandRules", ARRAY, .keys = vpn_on_demand_rules),
    MDM_PAYLOAD_KEY("PayloadCertificateUUID", STRING),
    MDM_PAYLOAD_KEY("Password", STRING, .secret = 1),
    MDM_PAYLOAD_KEY("ProviderBundleIdentifier", STRING),
    MDM_PAYLOAD_KEY("ProviderDesignatedRequirement", STRING),
    MDM_PAYLOAD_KEY("ProviderType", STRING, .values = "packet-tunnel|app-proxy", .preset = "packet-tunnel"),
    MDM_PAYLOAD_KEY("Order", INTEGER),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t vpn[] = {
    MDM_PAYLOAD_KEY("VPNType", STRING, .required = 1,
                    .values = "VPN|L2TP|IPSec|IKEv2|AlwaysOn|TransparentProxy"),
    MDM_PAYLOAD_KEY("VPNSubType", STRING),
    MDM_PAYLOAD_KEY("UserDefinedName", STRING, .required = 1),
    MDM_PAYLOAD_KEY("VendorConfig", DICT, .keys = vpn_vendor_config),
    MDM_PAYLOAD_KEY("VPN", DICT, .keys = vpn_vpn),
    MDM_PAYLOAD_KEY("IPv4", DICT, .since = "t-", .keys = vpn_ipv4),
    MDM_PAYLOAD_KEY("PPP", DICT, .since = "t-", .keys = vpn_ppp),
    MDM_PAYLOAD_KEY("IPSec", DICT, .since = "t-", .keys = vpn_ipsec),
    MDM_PAYLOAD_KEY("IKEv2", DICT, .since = "w10.0", .keys = vpn_ikev2),
    MDM_PAYLOAD_KEY("DNS", DICT, .since = "w10.0", .keys = vpn_dns),
    MDM_PAYLOAD_KEY("Proxies", DICT, .since = "w10.0", .keys = vpn_proxies),
    MDM_PAYLOAD_KEY("AlwaysOn", DICT, .since = "i8.0 m- t-", .keys = vpn_always_on),
    MDM_PAYLOAD_KEY("TransparentProxy", DICT, .since = "i- m14.0 t- v-", .keys = vpn_transparent_proxy),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t app_vpn[] = {
    MDM_PAYLOAD_KEY("VPNUUID", STRING, .required = 1),
    MDM_PAYLOAD_KEY("CellularSliceUUID", STRING, .since = "i18.0 m- t- v-"),
    MDM_PAYLOAD_KEY("SafariDomains", ARRAY, .since = "w-", .keys = texts),
    MDM_PAYLOAD_KEY("MailDomains", ARRAY, .since = "i13.0 m10.15 v- w-", .deprecated = "i13.4",
                    .keys = texts),
    MDM_PAYLOAD_KEY("CalendarDomains", ARRAY, .since = "i13.0 m10.15 v- w-", .deprecated = "i13.4",
                    .keys = texts),
    MDM_PAYLOAD_KEY("ContactsDomains", ARRAY, .since = "i13.0 m10.15 v- w-", .deprecated = "i13.4",
                    .keys = texts),
    MDM_PAYLOAD_KEY("AssociatedDomains", ARRAY, .since = "i14.0 m11.0", .keys = texts),
    MDM_PAYLOAD_KEY("ExcludedDomains", ARRAY, .since = "i14.0 m11.0", .keys = texts),
    MDM_PAYLOAD_KEY("OnDemandMatchAppEnabled", BOOLEAN),
    MDM_PAYLOAD_KEY("SMBDomains", ARRAY, .since = "i13.0 m- w-", .keys = texts),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t app_mapping_match_tool[] = {
    MDM_PAYLOAD_KEY("DesignatedRequirement", STRING, .required = 1, .since = "m10.15.4"),
    MDM_PAYLOAD_KEY("SigningIdentifier", STRING, .required = 1, .since = "m10.15.4"),
    MDM_PAYLOAD_KEY("Path", STRING, .since = "m10.15.4"),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t app_mapping_match_tools[] = {
    MDM_PAYLOAD_KEY("item", DICT, .keys = app_mapping_match_tool),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t app_mapping_app_layer_vpn_mapping_item[] = {
    MDM_PAYLOAD_KEY("Identifier", STRING, .required = 1),
    MDM_PAYLOAD_KEY("VPNUUID", STRING, .required = 1),
    MDM_PAYLOAD_KEY("DesignatedRequirement", STRING, .required = 1, .since = "m10.10"),
    MDM_PAYLOAD_KEY("SigningIdentifier", STRING, .required = 1, .since = "m10.10"),
    MDM_PAYLOAD_KEY("Path", STRING, .since = "m10.15"),
    MDM_PAYLOAD_KEY("MatchTools", ARRAY, .since = "m10.15.4", .keys = app_mapping_match_tools),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t app_mapping_app_layer_vpn_mapping[] = {
    MDM_PAYLOAD_KEY("item", DICT, .keys = app_mapping_app_layer_vpn_mapping_item),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t app_mapping[] = {
    MDM_PAYLOAD_KEY("AppLayerVPNMapping", ARRAY, .required = 1, .keys = app_mapping_app_layer_vpn_mapping),
    MDM_PAYLOAD_KEYS_END
};

const mdm_payload_type_t mdm_payloads_vpn[] = {
    MDM_PAYLOAD_TYPE("com.apple.vpn.managed", "VPN", vpn, .since = "i4.0 m10.7 t17.0 v1.0", .mac = "DU",
                    .shared_ipad = "D"),
    MDM_PAYLOAD_TYPE("com.apple.vpn.managed.applayer", "App-Layer VPN", app_vpn,
                    .since = "i7.0 m10.9 v1.1 w10.0", .supervised = "w", .user_enrollment = "imv",
                    .mac = "DU", .shared_ipad = "D"),
    MDM_PAYLOAD_TYPE("com.apple.vpn.managed.appmapping", "App-to-App-Layer VPN Mapping", app_mapping,
                    .since = "m10.9", .user_enrollment = "m", .single = "m", .mac = "D"),
    MDM_PAYLOAD_TYPES_END
};
