/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Apple's payload types, part of the table: macOS: FileVault, firewall, privacy, extensions, what may run.
 * Data only; looked up through mdm_payload_table.c, in any thread; mdm_payload_table.h says what the members mean.
 */
#include "mdm_payload_table.h"

static const mdm_payload_key_t mcx_file_vault2[] = {
    MDM_PAYLOAD_KEY("Enable", STRING, .required = 1, .values = "On|Off"),
    MDM_PAYLOAD_KEY("Defer", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("UserEntersMissingInfo", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("UseRecoveryKey", BOOLEAN, .preset = "true"),
    MDM_PAYLOAD_KEY("ShowRecoveryKey", BOOLEAN, .preset = "true"),
    MDM_PAYLOAD_KEY("OutputPath", STRING),
    MDM_PAYLOAD_KEY("Certificate", DATA),
    MDM_PAYLOAD_KEY("PayloadCertificateUUID", STRING),
    MDM_PAYLOAD_KEY("Username", STRING),
    MDM_PAYLOAD_KEY("Password", STRING, .secret = 1),
    MDM_PAYLOAD_KEY("UseKeychain", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("DeferForceAtUserLoginMaxBypassAttempts", INTEGER, .range = "-1 9999"),
    MDM_PAYLOAD_KEY("DeferDontAskAtUserLogout", BOOLEAN, .preset = "false", .since = "m10.10"),
    MDM_PAYLOAD_KEY("ForceEnableInSetupAssistant", BOOLEAN, .preset = "false", .since = "m14.0"),
    MDM_PAYLOAD_KEYS_END
};

/* Allowed is required by Apple's schema; Authorization takes its place since macOS 11. */
static const mdm_payload_key_t tcc_entry[] = {
    MDM_PAYLOAD_KEY("Identifier", STRING, .required = 1),
    MDM_PAYLOAD_KEY("IdentifierType", STRING, .required = 1, .values = "bundleID|path"),
    MDM_PAYLOAD_KEY("CodeRequirement", STRING, .required = 1),
    MDM_PAYLOAD_KEY("StaticCode", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("Allowed", BOOLEAN),
    MDM_PAYLOAD_KEY("Authorization", STRING, .values = "Allow|Deny|AllowStandardUserToSetSystemService",
                    .since = "m11.0"),
    MDM_PAYLOAD_KEY("Comment", STRING),
    MDM_PAYLOAD_KEY("AEReceiverIdentifier", STRING),
    MDM_PAYLOAD_KEY("AEReceiverIdentifierType", STRING, .values = "bundleID|path"),
    MDM_PAYLOAD_KEY("AEReceiverCodeRequirement", STRING),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t tcc_entries[] = {
    MDM_PAYLOAD_KEY("item", DICT, .keys = tcc_entry),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t tcc_services[] = {
    MDM_PAYLOAD_KEY("AddressBook", ARRAY, .keys = tcc_entries),
    MDM_PAYLOAD_KEY("Calendar", ARRAY, .keys = tcc_entries),
    MDM_PAYLOAD_KEY("Reminders", ARRAY, .keys = tcc_entries),
    MDM_PAYLOAD_KEY("Photos", ARRAY, .keys = tcc_entries),
    MDM_PAYLOAD_KEY("Camera", ARRAY, .keys = tcc_entries),
    MDM_PAYLOAD_KEY("Microphone", ARRAY, .keys = tcc_entries),
    MDM_PAYLOAD_KEY("Accessibility", ARRAY, .keys = tcc_entries),
    MDM_PAYLOAD_KEY("PostEvent", ARRAY, .keys = tcc_entries),
    MDM_PAYLOAD_KEY("SystemPolicyAllFiles", ARRAY, .keys = tcc_entries),
    MDM_PAYLOAD_KEY("SystemPolicySysAdminFiles", ARRAY, .keys = tcc_entries),
    MDM_PAYLOAD_KEY("AppleEvents", ARRAY, .keys = tcc_entries),
    MDM_PAYLOAD_KEY("MediaLibrary", ARRAY, .since = "m10.15", .keys = tcc_entries),
    MDM_PAYLOAD_KEY("FileProviderPresence", ARRAY, .since = "m10.15", .keys = tcc_entries),
    MDM_PAYLOAD_KEY("ListenEvent", ARRAY, .since = "m10.15", .keys = tcc_entries),
    MDM_PAYLOAD_KEY("ScreenCapture", ARRAY, .since = "m10.15", .keys = tcc_entries),
    MDM_PAYLOAD_KEY("SpeechRecognition", ARRAY, .since = "m10.15", .keys = tcc_entries),
    MDM_PAYLOAD_KEY("SystemPolicyDesktopFolder", ARRAY, .since = "m10.15", .keys = tcc_entries),
    MDM_PAYLOAD_KEY("SystemPolicyDocumentsFolder", ARRAY, .since = "m10.15", .keys = tcc_entries),
    MDM_PAYLOAD_KEY("SystemPolicyDownloadsFolder", ARRAY, .since = "m10.15", .keys = tcc_entries),
    MDM_PAYLOAD_KEY("SystemPolicyNetworkVolumes", ARRAY, .since = "m10.15", .keys = tcc_entries),
    MDM_PAYLOAD_KEY("SystemPolicyRemovableVolumes", ARRAY, .since = "m10.15", .keys = tcc_entries),
    MDM_PAYLOAD_KEY("SystemPolicyAppBundles", ARRAY, .since = "m13.0", .keys = tcc_entries),
    MDM_PAYLOAD_KEY("SystemPolicyAppData", ARRAY, .since = "m14.0", .keys = tcc_entries),
    MDM_PAYLOAD_KEY("BluetoothAlways", ARRAY, .since = "m11.0", .keys = tcc_entries),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t tcc[] = {
    MDM_PAYLOAD_KEY("Services", DICT, .required = 1, .keys = tcc_services),
    MDM_PAYLOAD_KEYS_END
};

/* A helper of an app is described as an app is. */
static const mdm_payload_key_t allowed_app[7];

static const mdm_payload_key_t allowed_app_list[] = {
    MDM_PAYLOAD_KEY("item", DICT, .keys = allowed_app),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t allowed_app[7] = {
    MDM_PAYLOAD_KEY("bundleID", STRING, .required = 1),
    MDM_PAYLOAD_KEY("appID", DATA, .required = 1),
    MDM_PAYLOAD_KEY("detachedSignature", DATA),
    MDM_PAYLOAD_KEY("disabled", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("subApps", ARRAY, .keys = allowed_app_list),
    MDM_PAYLOAD_KEY("displayName", STRING),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t texts[] = {
    MDM_PAYLOAD_KEY("item", STRING),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t allowed_apps[] = {
    MDM_PAYLOAD_KEY("familyControlsEnabled", BOOLEAN, .required = 1),
    MDM_PAYLOAD_KEY("whiteList", ARRAY, .keys = allowed_app_list),
    MDM_PAYLOAD_KEY("pathBlackList", ARRAY, .deprecated = "m10.15", .keys = texts),
    MDM_PAYLOAD_KEY("pathWhiteList", ARRAY, .deprecated = "m10.15", .keys = texts),
    MDM_PAYLOAD_KEY("allowList", ARRAY, .since = "m10.15", .keys = allowed_app_list),
    MDM_PAYLOAD_KEY("pathAllowList", ARRAY, .since = "m10.15", .keys = texts),
    MDM_PAYLOAD_KEY("pathDenyList", ARRAY, .since = "m10.15", .keys = texts),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t content_filter_site_whitelist_item[] = {
    MDM_PAYLOAD_KEY("address", STRING, .required = 1),
    MDM_PAYLOAD_KEY("pageTitle", STRING),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t content_filter_site_whitelist[] = {
    MDM_PAYLOAD_KEY("item", DICT, .keys = content_filter_site_whitelist_item),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t content_filter[] = {
    MDM_PAYLOAD_KEY("restrictWeb", BOOLEAN, .required = 1),
    MDM_PAYLOAD_KEY("useContentFilter", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("whitelistEnabled", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("siteWhitelist", ARRAY, .keys = content_filter_site_whitelist),
    MDM_PAYLOAD_KEY("filterWhitelist", ARRAY, .keys = texts),
    MDM_PAYLOAD_KEY("filterBlacklist", ARRAY, .keys = texts),
    MDM_PAYLOAD_KEY("allowListEnabled", BOOLEAN, .preset = "false", .since = "m15.2"),
    MDM_PAYLOAD_KEY("filterAllowList", ARRAY, .since = "m15.2", .keys = texts),
    MDM_PAYLOAD_KEY("filterDenyList", ARRAY, .since = "m15.2", .keys = texts),
    MDM_PAYLOAD_KEY("siteAllowList", ARRAY, .since = "m15.2", .keys = content_filter_site_whitelist),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t time_limits_weekday_allowance[] = {
    MDM_PAYLOAD_KEY("enabled", BOOLEAN, .required = 1),
    MDM_PAYLOAD_KEY("rangeType", INTEGER, .required = 1, .values = "0|1"),
    MDM_PAYLOAD_KEY("start", STRING),
    MDM_PAYLOAD_KEY("end", STRING),
    MDM_PAYLOAD_KEY("secondsPerDay", INTEGER),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t time_limits_time_limits[] = {
    MDM_PAYLOAD_KEY("weekday-allowance", DICT, .keys = time_limits_weekday_allowance),
    MDM_PAYLOAD_KEY("weekday-curfew", DICT, .keys = time_limits_weekday_allowance),
    MDM_PAYLOAD_KEY("weekend-allowance", DICT, .keys = time_limits_weekday_allowance),
    MDM_PAYLOAD_KEY("weekend-curfew", DICT, .keys = time_limits_weekday_allowance),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t time_limits[] = {
    MDM_PAYLOAD_KEY("familyControlsEnabled", BOOLEAN, .required = 1),
    MDM_PAYLOAD_KEY("time-limits", DICT, .keys = time_limits_time_limits),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t login_item[] = {
    MDM_PAYLOAD_KEY("Path", STRING, .required = 1),
    MDM_PAYLOAD_KEY("Hide", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t login_items[] = {
    MDM_PAYLOAD_KEY("item", DICT, .keys = login_item),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t loginitems[] = {
    MDM_PAYLOAD_KEY("AutoLaunchedApplicationDictionary-managed", ARRAY, .required = 1,
                    .keys = login_items),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t loginwindow[] = {
    MDM_PAYLOAD_KEY("SHOWFULLNAME", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("HideLocalUsers", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("IncludeNetworkUser", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("HideAdminUsers", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("SHOWOTHERUSERS_MANAGED", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("AdminHostInfo", STRING, .values = "HostName|SystemVersion|IPAddress"),
    MDM_PAYLOAD_KEY("AllowList", ARRAY, .keys = texts),
    MDM_PAYLOAD_KEY("DenyList", ARRAY, .keys = texts),
    MDM_PAYLOAD_KEY("HideMobileAccounts", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("ShutDownDisabled", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("RestartDisabled", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("SleepDisabled", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("DisableConsoleAccess", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("LoginwindowText", STRING),
    MDM_PAYLOAD_KEY("ShutDownDisabledWhileLoggedIn", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("RestartDisabledWhileLoggedIn", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("PowerOffDisabledWhileLoggedIn", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("LogOutDisabledWhileLoggedIn", BOOLEAN, .preset = "false", .since = "m10.13"),
    MDM_PAYLOAD_KEY("DisableScreenLockImmediate", BOOLEAN, .preset = "false", .since = "m10.13"),
    MDM_PAYLOAD_KEY("showInputMenu", BOOLEAN, .preset = "false", .since = "m10.8"),
    MDM_PAYLOAD_KEY("DisableFDEAutoLogin", BOOLEAN, .preset = "false", .since = "m10.9"),
    MDM_PAYLOAD_KEY("AutologinUsername", STRING, .since = "m14.0"),
    MDM_PAYLOAD_KEY("AutologinPassword", STRING, .secret = 1, .since = "m14.0"),
    MDM_PAYLOAD_KEY("AdminMayDisableMCX", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("RetriesUntilHint", INTEGER, .preset = "0"),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t mcxloginscripts_loginscript[] = {
    MDM_PAYLOAD_KEY("filename", STRING, .required = 1),
    MDM_PAYLOAD_KEY("filedata", DATA, .required = 1),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t mcxloginscripts_loginscripts[] = {
    MDM_PAYLOAD_KEY("item", DICT, .keys = mcxloginscripts_loginscript),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t mcxloginscripts[] = {
    MDM_PAYLOAD_KEY("loginscripts", ARRAY, .keys = mcxloginscripts_loginscripts),
    MDM_PAYLOAD_KEY("logoutscripts", ARRAY, .keys = mcxloginscripts_loginscripts),
    MDM_PAYLOAD_KEY("skipLoginHook", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("skipLogoutHook", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t preference_security[] = {
    MDM_PAYLOAD_KEY("dontAllowPasswordResetUI", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("dontAllowLockMessageUI", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("dontAllowFireWallUI", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t fde_recovery_key_escrow[] = {
    MDM_PAYLOAD_KEY("Location", STRING, .required = 1),
    MDM_PAYLOAD_KEY("EncryptCertPayloadUUID", STRING, .required = 1),
    MDM_PAYLOAD_KEY("DeviceKey", STRING),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t fde_recovery_redirect[] = {
    MDM_PAYLOAD_KEY("RedirectURL", STRING, .required = 1),
    MDM_PAYLOAD_KEY("EncryptCertPayloadUUID", STRING, .required = 1),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t firewall_application[] = {
    MDM_PAYLOAD_KEY("BundleID", STRING, .required = 1),
    MDM_PAYLOAD_KEY("Allowed", BOOLEAN, .required = 1),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t firewall_applications[] = {
    MDM_PAYLOAD_KEY("item", DICT, .keys = firewall_application),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t firewall[] = {
    MDM_PAYLOAD_KEY("EnableFirewall", BOOLEAN, .required = 1),
    MDM_PAYLOAD_KEY("BlockAllIncoming", BOOLEAN),
    MDM_PAYLOAD_KEY("EnableStealthMode", BOOLEAN),
    MDM_PAYLOAD_KEY("Applications", ARRAY, .keys = firewall_applications),
    MDM_PAYLOAD_KEY("EnableLogging", BOOLEAN, .since = "m12.0", .deprecated = "m15.0", .removed = "m15.0"),
    MDM_PAYLOAD_KEY("LoggingOption", STRING, .values = "throttled|brief|detail", .since = "m12.0",
                    .deprecated = "m15.0", .removed = "m15.0"),
    MDM_PAYLOAD_KEY("AllowSigned", BOOLEAN, .preset = "true", .since = "m12.3"),
    MDM_PAYLOAD_KEY("AllowSignedApp", BOOLEAN, .preset = "true", .since = "m12.3"),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t servicemanagement_rule[] = {
    MDM_PAYLOAD_KEY("RuleType", STRING, .required = 1,
                    .values = "BundleIdentifier|BundleIdentifierPrefix|Label|LabelPrefix|TeamIdentifier"),
    MDM_PAYLOAD_KEY("RuleValue", STRING, .required = 1),
    MDM_PAYLOAD_KEY("Comment", STRING),
    MDM_PAYLOAD_KEY("TeamIdentifier", STRING),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t servicemanagement_rules[] = {
    MDM_PAYLOAD_KEY("item", DICT, .keys = servicemanagement_rule),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t servicemanagement[] = {
    MDM_PAYLOAD_KEY("Rules", ARRAY, .required = 1, .keys = servicemanagement_rules),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t kernel_extensions_allowed_kernel_extensions[] = {
    MDM_PAYLOAD_KEY("*", ARRAY, .keys = texts),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t kernel_extensions[] = {
    MDM_PAYLOAD_KEY("AllowNonAdminUserApprovals", BOOLEAN, .preset = "false", .since = "m11.0"),
    MDM_PAYLOAD_KEY("AllowUserOverrides", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("AllowedTeamIdentifiers", ARRAY, .keys = texts),
    MDM_PAYLOAD_KEY("AllowedKernelExtensions", DICT, .keys = kernel_extensions_allowed_kernel_extensions),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t system_extensions[] = {
    MDM_PAYLOAD_KEY("AllowUserOverrides", BOOLEAN, .preset = "true"),
    MDM_PAYLOAD_KEY("AllowedTeamIdentifiers", ARRAY, .keys = texts),
    MDM_PAYLOAD_KEY("AllowedSystemExtensionTypes", DICT, .keys = kernel_extensions_allowed_kernel_extensions),
    MDM_PAYLOAD_KEY("AllowedSystemExtensions", DICT, .keys = kernel_extensions_allowed_kernel_extensions),
    MDM_PAYLOAD_KEY("RemovableSystemExtensions", DICT, .since = "m12.0",
                    .keys = kernel_extensions_allowed_kernel_extensions),
    MDM_PAYLOAD_KEY("NonRemovableSystemExtensions", DICT, .since = "m15.0",
                    .keys = kernel_extensions_allowed_kernel_extensions),
    MDM_PAYLOAD_KEY("NonRemovableFromUISystemExtensions", DICT, .since = "m15.0",
                    .keys = kernel_extensions_allowed_kernel_extensions),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t systempolicy_control[] = {
    MDM_PAYLOAD_KEY("EnableAssessment", BOOLEAN),
    MDM_PAYLOAD_KEY("AllowIdentifiedDevelopers", BOOLEAN),
    MDM_PAYLOAD_KEY("EnableXProtectMalwareUpload", BOOLEAN, .since = "m15.0"),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t systempolicy[] = {
    MDM_PAYLOAD_KEY("DisableOverride", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t systempolicy_rule[] = {
    MDM_PAYLOAD_KEY("Requirement", STRING),
    MDM_PAYLOAD_KEY("Comment", STRING),
    MDM_PAYLOAD_KEY("Priority", REAL),
    MDM_PAYLOAD_KEY("Expiration", DATE),
    MDM_PAYLOAD_KEY("OperationType", STRING, .values = "operation:execute|operation:install|operation:lsopen",
                    .preset = "operation:execute"),
    MDM_PAYLOAD_KEY("LeafCertificate", DATA),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t login_scripts[] = {
    MDM_PAYLOAD_KEY("DisableLoginItemsSuppression", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEYS_END
};

const mdm_payload_type_t mdm_payloads_mac_security[] = {
    MDM_PAYLOAD_TYPE("com.apple.MCX.FileVault2", "FDE FileVault", mcx_file_vault2, .since = "m10.9",
                    .single = "m", .mac = "D", .domain = 1),
    MDM_PAYLOAD_TYPE("com.apple.TCC.configuration-profile-policy", "Privacy Preferences Policy Control", tcc,
                    .since = "m10.14", .mac = "D"),
    MDM_PAYLOAD_TYPE("com.apple.applicationaccess.new", "Parental Controls: Application Restrictions",
                    allowed_apps, .since = "m10.7", .mac = "DU", .domain = 1),
    MDM_PAYLOAD_TYPE("com.apple.familycontrols.contentfilter", "Parental Controls: Content Filter",
                    content_filter, .since = "m10.7", .single = "m", .mac = "DU", .domain = 1),
    MDM_PAYLOAD_TYPE("com.apple.familycontrols.timelimits.v2", "Parental Controls: Time Limits", time_limits,
                    .since = "m10.7", .single = "m", .mac = "DU", .domain = 1),
    MDM_PAYLOAD_TYPE("com.apple.loginitems.managed", "Login Items: Managed Items", loginitems,
                    .since = "m10.13", .user_enrollment = "m", .mac = "DU"),
    MDM_PAYLOAD_TYPE("com.apple.loginwindow", "Login Window", loginwindow, .since = "m10.7", .mac = "D",
                    .domain = 1),
    MDM_PAYLOAD_TYPE("com.apple.mcxloginscripts", "Login Window: Scripts", mcxloginscripts, .since = "m10.7",
                    .single = "m", .mac = "D", .domain = 1),
    MDM_PAYLOAD_TYPE("com.apple.preference.security", "Security Preferences", preference_security,
                    .since = "m10.10", .single = "m", .mac = "DU", .domain = 1),
    MDM_PAYLOAD_TYPE("com.apple.security.FDERecoveryKeyEscrow", "FDE Recovery Key Escrow",
                    fde_recovery_key_escrow, .since = "m10.13", .single = "m", .mac = "D"),
    MDM_PAYLOAD_TYPE("com.apple.security.FDERecoveryRedirect", "FDE Recovery Key Redirection",
                    fde_recovery_redirect, .since = "m10.9", .deprecated = "m10.13", .single = "m",
                    .mac = "D"),
    MDM_PAYLOAD_TYPE("com.apple.security.firewall", "Firewall", firewall, .since = "m10.12", .mac = "D"),
    MDM_PAYLOAD_TYPE("com.apple.servicemanagement", "Service Management - Managed Login Items",
                    servicemanagement, .since = "m13.0", .mac = "D"),
    MDM_PAYLOAD_TYPE("com.apple.syspolicy.kernel-extension-policy", "System Policy - Kernel Extensions",
                    kernel_extensions, .since = "m10.13.2", .mac = "D"),
    MDM_PAYLOAD_TYPE("com.apple.system-extension-policy", "System Extensions", system_extensions,
                    .since = "m10.15", .mac = "D"),
    MDM_PAYLOAD_TYPE("com.apple.systempolicy.control", "System Policy Control", systempolicy_control,
                    .since = "m10.8", .mac = "D"),
    MDM_PAYLOAD_TYPE("com.apple.systempolicy.managed", "System Policy Managed", systempolicy,
                    .since = "m10.8", .mac = "DU"),
    MDM_PAYLOAD_TYPE("com.apple.systempolicy.rule", "System Policy Rule", systempolicy_rule, .since = "m10.8",
                    .mac = "D"),
    MDM_PAYLOAD_TYPE("loginwindow", "Login Window: Login Items", login_scripts, .since = "m10.7",
                    .single = "m", .mac = "D", .domain = 1),
    MDM_PAYLOAD_TYPES_END
};
