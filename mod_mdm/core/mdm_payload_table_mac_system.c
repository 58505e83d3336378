/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Apple's payload types, part of the table: macOS: preferences of the system.
 * Data only; looked up through mdm_payload_table.c, in any thread; mdm_payload_table.h says what the members mean.
 */
#include "mdm_payload_table.h"

static const mdm_payload_key_t global_preferences[] = {
    MDM_PAYLOAD_KEY("MultipleSessionEnabled", BOOLEAN, .preset = "true"),
    MDM_PAYLOAD_KEY("com.apple.autologout.AutoLogOutDelay", REAL),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t asset_cache_listen_range[] = {
    MDM_PAYLOAD_KEY("type", STRING, .values = "IPv4|IPv6", .preset = "IPv4", .since = "m10.13.4"),
    MDM_PAYLOAD_KEY("first", STRING, .required = 1, .since = "m10.13.4"),
    MDM_PAYLOAD_KEY("last", STRING, .required = 1, .since = "m10.13.4"),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t asset_cache_listen_ranges[] = {
    MDM_PAYLOAD_KEY("item", DICT, .keys = asset_cache_listen_range),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t texts[] = {
    MDM_PAYLOAD_KEY("item", STRING),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t asset_cache[] = {
    MDM_PAYLOAD_KEY("AllowCacheDelete", BOOLEAN, .preset = "true", .since = "m10.15"),
    MDM_PAYLOAD_KEY("AllowPersonalCaching", BOOLEAN, .preset = "true", .since = "m10.13.4"),
    MDM_PAYLOAD_KEY("AllowSharedCaching", BOOLEAN, .preset = "true", .since = "m10.13.4"),
    MDM_PAYLOAD_KEY("AutoActivation", BOOLEAN, .preset = "false", .since = "m10.13.4"),
    MDM_PAYLOAD_KEY("AutoEnableTetheredCaching", BOOLEAN, .preset = "false", .since = "m10.15.4"),
    MDM_PAYLOAD_KEY("CacheLimit", INTEGER, .preset = "0", .since = "m10.13.4"),
    MDM_PAYLOAD_KEY("DataPath", STRING, .preset = "/Library/Application Support/Apple/AssetCache/Data",
                    .since = "m10.13.4"),
    MDM_PAYLOAD_KEY("DenyTetheredCaching", BOOLEAN, .preset = "false", .since = "m10.13.4"),
    MDM_PAYLOAD_KEY("DisplayAlerts", BOOLEAN, .preset = "false", .since = "m10.15"),
    MDM_PAYLOAD_KEY("KeepAwake", BOOLEAN, .preset = "false", .since = "m10.15"),
    MDM_PAYLOAD_KEY("ListenRanges", ARRAY, .since = "m10.13.4", .keys = asset_cache_listen_ranges),
    MDM_PAYLOAD_KEY("ListenRangesOnly", BOOLEAN, .preset = "false", .since = "m10.13.4"),
    MDM_PAYLOAD_KEY("ListenWithPeersAndParents", BOOLEAN, .preset = "true", .since = "m10.13.4"),
    MDM_PAYLOAD_KEY("LocalSubnetsOnly", BOOLEAN, .preset = "true", .since = "m10.13.4"),
    MDM_PAYLOAD_KEY("LogClientIdentity", BOOLEAN, .preset = "false", .since = "m10.13.4"),
    MDM_PAYLOAD_KEY("Parents", ARRAY, .since = "m10.13.4", .keys = texts),
    MDM_PAYLOAD_KEY("ParentSelectionPolicy", STRING,
                    .values = "first-available|url-path-hash|random|round-robin|sticky-available",
                    .preset = "round-robin", .since = "m10.13.4"),
    MDM_PAYLOAD_KEY("PeerFilterRanges", ARRAY, .since = "m10.13.4", .keys = asset_cache_listen_ranges),
    MDM_PAYLOAD_KEY("PeerListenRanges", ARRAY, .since = "m10.13.4", .keys = asset_cache_listen_ranges),
    MDM_PAYLOAD_KEY("PeerLocalSubnetsOnly", BOOLEAN, .preset = "true", .since = "m10.13.4"),
    MDM_PAYLOAD_KEY("Port", INTEGER, .preset = "0", .since = "m10.13.4"),
    MDM_PAYLOAD_KEY("PublicRanges", ARRAY, .since = "m10.13.4", .keys = asset_cache_listen_ranges),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t mcx_energy_saver_desktop_ac_power[] = {
    MDM_PAYLOAD_KEY("Display Sleep Timer", INTEGER, .values = "0", .range = "1 180"),
    MDM_PAYLOAD_KEY("Disk Sleep Timer", INTEGER, .values = "0", .range = "1 180"),
    MDM_PAYLOAD_KEY("System Sleep Timer", INTEGER, .values = "0", .range = "1 180"),
    MDM_PAYLOAD_KEY("Reduce Processor Speed", INTEGER, .values = "0|1"),
    MDM_PAYLOAD_KEY("Dynamic Power Step", INTEGER, .values = "0|1"),
    MDM_PAYLOAD_KEY("Wake on LAN", INTEGER, .values = "0|1"),
    MDM_PAYLOAD_KEY("Wake On Modem Ring", INTEGER, .values = "0|1"),
    MDM_PAYLOAD_KEY("Automatic Restart On Power Loss", INTEGER, .values = "0|1"),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t mcx_repeating_power_on[] = {
    MDM_PAYLOAD_KEY("eventtype", STRING, .required = 1,
                    .values = "wake|poweron|wakepoweron|sleep|shutdown|restart"),
    MDM_PAYLOAD_KEY("weekdays", INTEGER),
    MDM_PAYLOAD_KEY("time", INTEGER),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t mcx_energy_saver_desktop_schedule[] = {
    MDM_PAYLOAD_KEY("RepeatingPowerOn", DICT, .keys = mcx_repeating_power_on),
    MDM_PAYLOAD_KEY("RepeatingPowerOff", DICT, .keys = mcx_repeating_power_on),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t mcx[] = {
    MDM_PAYLOAD_KEY("EnableGuestAccount", BOOLEAN, .preset = "false", .since = "m10.7"),
    MDM_PAYLOAD_KEY("DisableGuestAccount", BOOLEAN, .preset = "false", .since = "m10.7"),
    MDM_PAYLOAD_KEY("com.apple.EnergySaver.desktop.ACPower", DICT, .keys = mcx_energy_saver_desktop_ac_power),
    MDM_PAYLOAD_KEY("com.apple.EnergySaver.portable.ACPower", DICT,
                    .keys = mcx_energy_saver_desktop_ac_power),
    MDM_PAYLOAD_KEY("com.apple.EnergySaver.portable.BatteryPower", DICT,
                    .keys = mcx_energy_saver_desktop_ac_power),
    MDM_PAYLOAD_KEY("com.apple.EnergySaver.desktop.Schedule", DICT,
                    .keys = mcx_energy_saver_desktop_schedule),
    MDM_PAYLOAD_KEY("SleepDisabled", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("DestroyFVKeyOnStandby", BOOLEAN, .preset = "false", .since = "m10.10"),
    MDM_PAYLOAD_KEY("dontAllowFDEDisable", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("dontAllowFDEEnable", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("com.apple.cachedaccounts.CreateAtLogin", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("com.apple.cachedaccounts.WarnOnCreate", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("cachedaccounts.WarnOnCreate.allowNever", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("cachedaccounts.expiry.delete.disusedSeconds", INTEGER, .preset = "-1"),
    MDM_PAYLOAD_KEY("cachedaccounts.askForSecureTokenAuthBypass", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("timeServer", STRING),
    MDM_PAYLOAD_KEY("timeZone", STRING),
    MDM_PAYLOAD_KEY("RequireAdminForIBSS", BOOLEAN, .preset = "false", .since = "m10.9"),
    MDM_PAYLOAD_KEY("RequireAdminForAirPortNetworkChange", BOOLEAN, .preset = "false", .since = "m10.9"),
    MDM_PAYLOAD_KEY("RequireAdminToTurnAirPortOnOff", BOOLEAN, .preset = "false", .since = "m10.9"),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t mcx_time_machine[] = {
    MDM_PAYLOAD_KEY("AutoBackup", BOOLEAN, .preset = "true"),
    MDM_PAYLOAD_KEY("BackupAllVolumes", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("BackupDestURL", STRING, .required = 1),
    MDM_PAYLOAD_KEY("BackupSizeMB", INTEGER, .preset = "0"),
    MDM_PAYLOAD_KEY("BackupSkipSys", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("MobileBackups", BOOLEAN, .preset = "true"),
    MDM_PAYLOAD_KEY("BasePaths", ARRAY, .keys = texts),
    MDM_PAYLOAD_KEY("SkipPaths", ARRAY, .keys = texts),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t custom_forced_item[] = {
    MDM_PAYLOAD_KEY("mcx_preference_settings", DICT, .required = 1),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t custom_forced[] = {
    MDM_PAYLOAD_KEY("item", DICT, .keys = custom_forced_item),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t custom_payload_content_each[] = {
    MDM_PAYLOAD_KEY("Forced", ARRAY, .keys = custom_forced),
    MDM_PAYLOAD_KEY("Set-Once", ARRAY, .keys = custom_forced),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t custom_payload_content[] = {
    MDM_PAYLOAD_KEY("*", DICT, .keys = custom_payload_content_each),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t custom[] = {
    MDM_PAYLOAD_KEY("PayloadContent", DICT, .required = 1, .keys = custom_payload_content),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t extensions[] = {
    MDM_PAYLOAD_KEY("AllowedExtensions", ARRAY, .keys = texts),
    MDM_PAYLOAD_KEY("DeniedExtensions", ARRAY, .keys = texts),
    MDM_PAYLOAD_KEY("DeniedExtensionPoints", ARRAY, .keys = texts),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t share_kit_helper[] = {
    MDM_PAYLOAD_KEY("SHKAllowedShareServices", ARRAY, .keys = texts),
    MDM_PAYLOAD_KEY("SHKDeniedShareServices", ARRAY, .keys = texts),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t software_update[] = {
    MDM_PAYLOAD_KEY("CatalogURL", STRING, .since = "m10.7", .deprecated = "m11.0"),
    MDM_PAYLOAD_KEY("AllowPreReleaseInstallation", BOOLEAN, .preset = "true", .since = "m10.9"),
    MDM_PAYLOAD_KEY("restrict-software-update-require-admin-to-install", BOOLEAN, .preset = "false",
                    .since = "m10.14"),
    MDM_PAYLOAD_KEY("AutomaticallyInstallMacOSUpdates", BOOLEAN, .preset = "true", .since = "m10.15"),
    MDM_PAYLOAD_KEY("AutomaticallyInstallAppUpdates", BOOLEAN, .preset = "true", .since = "m10.15"),
    MDM_PAYLOAD_KEY("AutomaticCheckEnabled", BOOLEAN, .preset = "true", .since = "m10.15"),
    MDM_PAYLOAD_KEY("AutomaticDownload", BOOLEAN, .preset = "true", .since = "m10.15"),
    MDM_PAYLOAD_KEY("CriticalUpdateInstall", BOOLEAN, .preset = "true", .since = "m10.15"),
    MDM_PAYLOAD_KEY("ConfigDataInstall", BOOLEAN, .preset = "true", .since = "m10.15"),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t system_configuration_proxies[] = {
    MDM_PAYLOAD_KEY("FTPEnable", INTEGER),
    MDM_PAYLOAD_KEY("FTPPassive", INTEGER),
    MDM_PAYLOAD_KEY("FTPPort", INTEGER),
    MDM_PAYLOAD_KEY("FTPProxy", STRING),
    MDM_PAYLOAD_KEY("GopherEnable", INTEGER),
    MDM_PAYLOAD_KEY("GopherPort", INTEGER),
    MDM_PAYLOAD_KEY("GopherProxy", STRING),
    MDM_PAYLOAD_KEY("HTTPEnable", INTEGER),
    MDM_PAYLOAD_KEY("HTTPPort", INTEGER),
    MDM_PAYLOAD_KEY("HTTPProxy", STRING),
    MDM_PAYLOAD_KEY("HTTPSEnable", INTEGER),
    MDM_PAYLOAD_KEY("HTTPSPort", INTEGER),
    MDM_PAYLOAD_KEY("HTTPSProxy", STRING),
    MDM_PAYLOAD_KEY("ProxyAutoConfigEnable", INTEGER),
    MDM_PAYLOAD_KEY("ProxyAutoConfigURLString", STRING),
    MDM_PAYLOAD_KEY("ProxyCaptiveLoginAllowed", INTEGER, .since = "m10.9"),
    MDM_PAYLOAD_KEY("RTSPEnable", INTEGER),
    MDM_PAYLOAD_KEY("RTSPPort", INTEGER),
    MDM_PAYLOAD_KEY("RTSPProxy", STRING),
    MDM_PAYLOAD_KEY("SOCKSEnable", INTEGER),
    MDM_PAYLOAD_KEY("SOCKSPortinteger", INTEGER),
    MDM_PAYLOAD_KEY("SOCKSProxy", STRING),
    MDM_PAYLOAD_KEY("FallBackAllowed", INTEGER),
    MDM_PAYLOAD_KEY("ExceptionsList", ARRAY, .keys = texts),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t system_configuration[] = {
    MDM_PAYLOAD_KEY("Proxies", DICT, .required = 1, .keys = system_configuration_proxies),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t mcxprinting_default_printer[] = {
    MDM_PAYLOAD_KEY("DeviceURI", STRING),
    MDM_PAYLOAD_KEY("DisplayName", STRING),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t mcxprinting_printer[] = {
    MDM_PAYLOAD_KEY("DeviceURI", STRING),
    MDM_PAYLOAD_KEY("DisplayName", STRING),
    MDM_PAYLOAD_KEY("Location", STRING),
    MDM_PAYLOAD_KEY("Model", STRING),
    MDM_PAYLOAD_KEY("PrinterLocked", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("PPDURL", STRING),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t mcxprinting_user_printer_list[] = {
    MDM_PAYLOAD_KEY("Printer", DICT, .keys = mcxprinting_printer),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t mcxprinting[] = {
    MDM_PAYLOAD_KEY("RequireAdminToAddPrinters", BOOLEAN, .preset = "true"),
    MDM_PAYLOAD_KEY("AllowLocalPrinters", BOOLEAN, .preset = "true"),
    MDM_PAYLOAD_KEY("RequireAdminToPrintLocally", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("ShowOnlyManagedPrinters", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("PrintFooter", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("PrintMACAddress", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("FooterFontSize", STRING),
    MDM_PAYLOAD_KEY("FooterFontName", STRING),
    MDM_PAYLOAD_KEY("DefaultPrinter", DICT, .keys = mcxprinting_default_printer),
    MDM_PAYLOAD_KEY("UserPrinterList", DICT, .keys = mcxprinting_user_printer_list),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t system_logging[] = {
    MDM_PAYLOAD_KEY("Processes", DICT, .since = "m-"),
    MDM_PAYLOAD_KEY("Subsystems", DICT, .since = "m-"),
    MDM_PAYLOAD_KEY("System", DICT, .since = "m-"),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t systemmigration_path[] = {
    MDM_PAYLOAD_KEY("SourcePath", STRING, .required = 1),
    MDM_PAYLOAD_KEY("SourcePathInUserHome", BOOLEAN, .required = 1),
    MDM_PAYLOAD_KEY("TargetPath", STRING, .required = 1),
    MDM_PAYLOAD_KEY("TargetPathInUserHome", BOOLEAN, .required = 1),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t systemmigration_paths[] = {
    MDM_PAYLOAD_KEY("item", DICT, .keys = systemmigration_path),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t systemmigration_custom_behavior_item[] = {
    MDM_PAYLOAD_KEY("Context", STRING, .required = 1),
    MDM_PAYLOAD_KEY("Paths", ARRAY, .required = 1, .keys = systemmigration_paths),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t systemmigration_custom_behavior[] = {
    MDM_PAYLOAD_KEY("item", DICT, .keys = systemmigration_custom_behavior_item),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t systemmigration[] = {
    MDM_PAYLOAD_KEY("CustomBehavior", ARRAY, .keys = systemmigration_custom_behavior),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t xsan[] = {
    MDM_PAYLOAD_KEY("sanName", STRING, .required = 1),
    MDM_PAYLOAD_KEY("sanConfigURLs", ARRAY, .required = 1, .keys = texts),
    MDM_PAYLOAD_KEY("fsnameservers", ARRAY, .required = 1, .keys = texts),
    MDM_PAYLOAD_KEY("sanAuthMethod", STRING, .values = "auth_secret"),
    MDM_PAYLOAD_KEY("sharedSecret", STRING, .required = 1, .secret = 1),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t xsan_preferences[] = {
    MDM_PAYLOAD_KEY("onlyMount", ARRAY, .keys = texts),
    MDM_PAYLOAD_KEY("denyMount", ARRAY, .keys = texts),
    MDM_PAYLOAD_KEY("denyDLC", ARRAY, .keys = texts),
    MDM_PAYLOAD_KEY("preferDLC", ARRAY, .keys = texts),
    MDM_PAYLOAD_KEY("useDLC", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEYS_END
};

const mdm_payload_type_t mdm_payloads_mac_system[] = {
    MDM_PAYLOAD_TYPE(".GlobalPreferences", "Global Preferences", global_preferences, .since = "m10.7",
                    .single = "m", .mac = "DU", .domain = 1),
    MDM_PAYLOAD_TYPE("com.apple.AssetCache.managed", "Content Caching", asset_cache, .since = "m10.13.4",
                    .single = "m", .mac = "D"),
    MDM_PAYLOAD_TYPE("com.apple.MCX", "Managed Preferences", mcx, .since = "m10.7", .mac = "DU", .domain = 1),
    MDM_PAYLOAD_TYPE("com.apple.MCX.TimeMachine", "Time Machine", mcx_time_machine, .since = "m10.7",
                    .single = "m", .mac = "D", .domain = 1),
    MDM_PAYLOAD_TYPE("com.apple.ManagedClient.preferences", "Managed Preferences", custom, .since = "m10.7",
                    .mac = "DU"),
    MDM_PAYLOAD_TYPE("com.apple.NSExtension", "NSExtension Management", extensions, .since = "m10.13",
                    .mac = "DU", .domain = 1),
    MDM_PAYLOAD_TYPE("com.apple.ShareKitHelper", "ShareKit", share_kit_helper, .since = "m10.9",
                    .deprecated = "m10.12", .single = "m", .mac = "DU", .domain = 1),
    MDM_PAYLOAD_TYPE("com.apple.SoftwareUpdate", "Software Update", software_update, .since = "m10.7",
                    .single = "m", .mac = "D", .domain = 1),
    MDM_PAYLOAD_TYPE("com.apple.SystemConfiguration", "Network Proxy Configuration", system_configuration,
                    .since = "m10.7", .single = "m", .mac = "D", .domain = 1),
    MDM_PAYLOAD_TYPE("com.apple.mcxprinting", "Printing", mcxprinting, .since = "m10.7", .single = "m",
                    .mac = "DU", .domain = 1),
    MDM_PAYLOAD_TYPE("com.apple.system.logging", "System Logging", system_logging, .since = "m10.12",
                    .mac = "DU"),
    MDM_PAYLOAD_TYPE("com.apple.systemmigration", "System Migration", systemmigration, .since = "m10.12.4",
                    .single = "m", .mac = "D", .domain = 1),
    MDM_PAYLOAD_TYPE("com.apple.xsan", "Xsan", xsan, .since = "m10.10", .single = "m", .mac = "D"),
    MDM_PAYLOAD_TYPE("com.apple.xsan.preferences", "Xsan Preferences", xsan_preferences, .since = "m10.11",
                    .mac = "D"),
    MDM_PAYLOAD_TYPES_END
};
