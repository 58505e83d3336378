/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Apple's commands, part of the table: settings and questions about the device.
 * Data only; looked up through mdm_command_table.c, in any thread. What the members mean is in mdm_command_table.h.
 */
#include "mdm_command_table.h"

static const mdm_command_key_t query_item[] = {
    MDM_KEY("item", QUERY),
    MDM_KEYS_END
};

static const mdm_command_key_t device_information_keys[] = {
    MDM_KEY("Queries", ARRAY, .required = 1, .keys = query_item),
    MDM_KEY("DeviceAttestationNonce", DATA, .since = "i16.0 m14.0 t16.0"),
    MDM_KEYS_END
};

static const mdm_command_key_t wallpaper[] = {
    MDM_KEY("Image", DATA, .required = 1),
    MDM_KEY("Where", INTEGER, .required = 1, .values = "1|2|3"),
    MDM_KEYS_END
};

static const mdm_command_key_t enabled[] = {
    MDM_KEY("Enabled", BOOLEAN, .required = 1),
    MDM_KEYS_END
};

static const mdm_command_key_t application_configuration[] = {
    MDM_KEY("Identifier", STRING, .required = 1),
    MDM_KEY("Configuration", DICT),
    MDM_KEYS_END
};

static const mdm_command_key_t texts[] = {
    MDM_KEY("item", STRING),
    MDM_KEYS_END
};

static const mdm_command_key_t attributes[] = {
    MDM_KEY("VPNUUID", STRING, .since = "t-"),
    MDM_KEY("ContentFilterUUID", STRING, .since = "i16.0 t- w-"),
    MDM_KEY("DNSProxyUUID", STRING, .since = "i16.0 t- w-"),
    MDM_KEY("RelayUUID", STRING, .since = "i17.0 t- w-"),
    MDM_KEY("AssociatedDomains", ARRAY, .since = "i13.0 t-", .keys = texts),
    MDM_KEY("AssociatedDomainsEnableDirectDownloads", BOOLEAN, .since = "i14.0 t-"),
    MDM_KEY("Removable", BOOLEAN, .since = "i14.0 t14.0"),
    MDM_KEY("TapToPayScreenLock", BOOLEAN, .since = "i16.4 t- v- w-"),
    MDM_KEY("CellularSliceUUID", STRING, .since = "i17.0 t- v- w-"),
    MDM_KEY("Hideable", BOOLEAN, .since = "i18.1 t- v- w-"),
    MDM_KEY("Lockable", BOOLEAN, .since = "i18.1 t- v- w-"),
    MDM_KEYS_END
};

static const mdm_command_key_t application_attributes[] = {
    MDM_KEY("Identifier", STRING, .required = 1),
    MDM_KEY("Attributes", DICT, .keys = attributes),
    MDM_KEYS_END
};

static const mdm_command_key_t device_name[] = {
    MDM_KEY("DeviceName", STRING, .required = 1),
    MDM_KEYS_END
};

static const mdm_command_key_t host_name[] = {
    MDM_KEY("HostName", STRING, .required = 1),
    MDM_KEYS_END
};

static const mdm_command_key_t organization_info[] = {
    MDM_KEY("OrganizationName", STRING, .required = 1),
    MDM_KEY("OrganizationShortName", STRING, .since = "i13.0 m10.15 t13.0"),
    MDM_KEY("OrganizationAddress", STRING),
    MDM_KEY("OrganizationPhone", STRING),
    MDM_KEY("OrganizationEmail", STRING),
    MDM_KEY("OrganizationMagic", STRING),
    MDM_KEYS_END
};

static const mdm_command_key_t organization_info_setting[] = {
    MDM_KEY("OrganizationInfo", DICT, .keys = organization_info),
    MDM_KEYS_END
};

static const mdm_command_key_t mdm_options[] = {
    MDM_KEY("ActivationLockAllowedWhileSupervised", BOOLEAN),
    MDM_KEY("BootstrapTokenAllowed", BOOLEAN, .since = "i- m10.15 t- v- w-"),
    MDM_KEY("PromptUserToAllowBootstrapTokenForAuthentication", BOOLEAN, .since = "i- m11.0 t- v- w-"),
    MDM_KEY("IdleRebootAllowed", BOOLEAN, .since = "i18.4 m- v-"),
    MDM_KEYS_END
};

static const mdm_command_key_t mdm_options_setting[] = {
    MDM_KEY("MDMOptions", DICT, .required = 1, .keys = mdm_options),
    MDM_KEYS_END
};

static const mdm_command_key_t maximum_resident_users[] = {
    MDM_KEY("MaximumResidentUsers", INTEGER, .required = 1),
    MDM_KEYS_END
};

static const mdm_command_key_t passcode_policy[] = {
    MDM_KEY("PasscodeLockGracePeriod", INTEGER, .values = "0|60|300|900|3600|14400"),
    MDM_KEY("AutoLockTime", INTEGER),
    MDM_KEYS_END
};

static const mdm_command_key_t shared_device_configuration[] = {
    MDM_KEY("QuotaSize", INTEGER),
    MDM_KEY("ResidentUsers", INTEGER),
    MDM_KEY("UserSessionTimeout", INTEGER, .since = "i14.5"),
    MDM_KEY("TemporarySessionTimeout", INTEGER, .since = "i14.5"),
    MDM_KEY("TemporarySessionOnly", BOOLEAN, .since = "i14.5"),
    MDM_KEY("ManagedAppleIDDefaultDomains", ARRAY, .since = "i16.0", .keys = texts),
    MDM_KEY("OnlineAuthenticationGracePeriod", INTEGER, .since = "i16.0"),
    MDM_KEY("SkipLanguageAndLocaleSetupForNewUsers", BOOLEAN, .since = "i16.2"),
    MDM_KEY("AwaitUserConfiguration", DICT, .since = "i17.0", .keys = enabled),
    MDM_KEY("PasscodePolicy", DICT, .since = "i17.0", .keys = passcode_policy),
    MDM_KEYS_END
};

static const mdm_command_key_t passcode_lock_grace_period[] = {
    MDM_KEY("PasscodeLockGracePeriod", INTEGER, .required = 1, .values = "0|60|300|900|3600|14400"),
    MDM_KEYS_END
};

static const mdm_command_key_t time_zone[] = {
    MDM_KEY("TimeZone", STRING, .required = 1),
    MDM_KEYS_END
};

static const mdm_command_key_t software_update_settings[] = {
    MDM_KEY("RecommendationCadence", INTEGER, .required = 1, .values = "0|1|2"),
    MDM_KEYS_END
};

static const mdm_command_key_t accessibility_settings[] = {
    MDM_KEY("BoldTextEnabled", BOOLEAN),
    MDM_KEY("IncreaseContrastEnabled", BOOLEAN, .since = "w-"),
    MDM_KEY("ReduceMotionEnabled", BOOLEAN),
    MDM_KEY("ReduceTransparencyEnabled", BOOLEAN),
    MDM_KEY("TextSize", INTEGER, .values = "0|1|2|3|4|5|6|7|8|9|10|11"),
    MDM_KEY("TouchAccommodationsEnabled", BOOLEAN),
    MDM_KEY("VoiceOverEnabled", BOOLEAN),
    MDM_KEY("ZoomEnabled", BOOLEAN),
    MDM_KEY("GrayscaleEnabled", BOOLEAN, .since = "i- w-"),
    MDM_KEYS_END
};

static const mdm_command_key_t default_applications[] = {
    MDM_KEY("WebBrowser", STRING),
    MDM_KEY("Calling", STRING, .since = "i26.0"),
    MDM_KEY("Messaging", STRING, .since = "i26.0"),
    MDM_KEYS_END
};

static const mdm_command_key_t settings_items[] = {
    MDM_KEY("Wallpaper", DICT, .since = "i8.0 m- t- v- w-", .supervised = "i", .keys = wallpaper),
    MDM_KEY("DataRoaming", DICT, .since = "m- t- v- w-", .keys = enabled),
    MDM_KEY("VoiceRoaming", DICT, .since = "m- t- v- w-", .keys = enabled),
    MDM_KEY("PersonalHotspot", DICT, .since = "m- t- v- w-", .right = 32, .keys = enabled),
    MDM_KEY("Bluetooth", DICT, .since = "i11.3 m10.13.4 t- v- w-", .supervised = "i", .keys = enabled),
    MDM_KEY("ApplicationConfiguration", DICT, .since = "i7.0 m10.15 t10.2", .right = 4096,
            .keys = application_configuration),
    MDM_KEY("ApplicationAttributes", DICT, .since = "i7.0 m- t10.2", .right = 4096, .keys = application_attributes),
    MDM_KEY("DeviceName", DICT, .since = "m10.10 v2.0 w-", .supervised = "iv", .keys = device_name),
    MDM_KEY("HostName", DICT, .since = "i- m10.11 t- v- w-", .keys = host_name),
    MDM_KEY("OrganizationInfo", DICT, .since = "m10.9", .keys = organization_info_setting),
    MDM_KEY("MDMOptions", DICT, .since = "i7.0 m10.15 t- v2.0 w-", .keys = mdm_options_setting),
    MDM_KEY("MaximumResidentUsers", DICT, .since = "i9.3 m- t- v- w-", .keys = maximum_resident_users),
    MDM_KEY("SharedDeviceConfiguration", DICT, .since = "i13.4 m- t- v- w-", .keys = shared_device_configuration),
    MDM_KEY("DiagnosticSubmission", DICT, .since = "i9.3 m- t- v- w-", .keys = enabled),
    MDM_KEY("AppAnalytics", DICT, .since = "i9.3.2 m- t- v- w-", .keys = enabled),
    MDM_KEY("PasscodeLockGracePeriod", DICT, .since = "i9.3.2 m- t- v- w-", .keys = passcode_lock_grace_period),
    MDM_KEY("TimeZone", DICT, .since = "i14.0 m- t14.0 v2.0 w-", .supervised = "itv", .keys = time_zone),
    MDM_KEY("SoftwareUpdateSettings", DICT, .since = "i14.5 m- t- v- w-", .supervised = "i",
            .keys = software_update_settings),
    MDM_KEY("AccessibilitySettings", DICT, .since = "i16.0 m- t- v-", .supervised = "iw",
            .keys = accessibility_settings),
    MDM_KEY("DefaultApplications", DICT, .since = "m- t- v- w-", .keys = default_applications),
    MDM_KEYS_END
};

static const mdm_command_key_t settings_item[] = {
    MDM_KEY("item", VARIANT, .keys = settings_items),
    MDM_KEYS_END
};

static const mdm_command_key_t settings_keys[] = {
    MDM_KEY("Settings", ARRAY, .required = 1, .keys = settings_item),
    MDM_KEYS_END
};

const mdm_command_query_t mdm_command_queries[] = {
    { "UDID", 0, NULL },
    { "ProvisioningUDID", 0, "i- m11.3 t- v- w-" },
    { "OrganizationInfo", 0, "i7.0 m10.11 t9.0" },
    { "MDMOptions", 0, "i7.0 m11.0 t9.0 w10.0" },
    { "LastCloudBackupDate", 0, "i8.0 m- t- w-" },
    { "AwaitingConfiguration", 0, "i9.0 m10.11 t10.2 v2.0" },
    { "iTunesStoreAccountIsActive", 4096, "i7.0 m10.9 t9.0 v-" },
    { "iTunesStoreAccountHash", 4096, "i8.0 m10.10 t9.0 v-" },
    { "DeviceName", 16, NULL },
    { "OSVersion", 16, NULL },
    { "SupplementalOSVersionExtra", 16, "i16.1 m13.0 t16.1" },
    { "BuildVersion", 16, NULL },
    { "SupplementalBuildVersion", 16, "i16.1 m13.0 t16.1" },
    { "ModelName", 16, NULL },
    { "Model", 16, "v-" },
    { "ModelNumber", 16, "i16.4 m13.3 t16.4" },
    { "IsAppleSilicon", 16, "i- m12.0 t- v- w-" },
    { "ProductName", 16, NULL },
    { "SerialNumber", 16, NULL },
    { "DeviceCapacity", 16, "t-" },
    { "AvailableDeviceCapacity", 16, "t-" },
    { "IMEI", 16, "m- t- v- w-" },
    { "MEID", 16, "m- t- v- w-" },
    { "ModemFirmwareVersion", 16, "m- t- v- w-" },
    { "CellularTechnology", 16, "i4.2.6 m- t- v- w-" },
    { "BatteryLevel", 16, "i5.0 m13.3 t-" },
    { "HasBattery", 16, "i- m13.3 t- v- w-" },
    { "IsSupervised", 16, "i6.0 m10.15 t9.0" },
    { "IsMultiUser", 16, "i9.3 m- t- v- w-" },
    { "IsDeviceLocatorServiceEnabled", 16, "i7.0 m- t-" },
    { "IsActivationLockEnabled", 16, "i7.0 m10.15 t- v-" },
    { "IsActivationLockSupported", 16, "i- m10.15 t- v- w-" },
    { "IsDoNotDisturbInEffect", 16, "i7.0 m- t-" },
    { "DeviceID", 16, "i- m- t9.0 v- w-" },
    { "EASDeviceIdentifier", 16, "i7.0 m- t- w-" },
    { "IsCloudBackupEnabled", 16, "i7.1 m- t- w-" },
    { "ActiveManagedUsers", 16, "i- m10.11 t- v- w-" },
    { "OSUpdateSettings", 16, "i- m10.11 t- v- w-" },
    { "LocalHostName", 16, "i- m10.11 t- v- w-" },
    { "HostName", 16, "i- m10.11 t- v- w-" },
    { "AutoSetupAdminAccounts", 16, "i- m10.11 t- v- w-" },
    { "SystemIntegrityProtectionEnabled", 16, "i- m10.12 t- v- w-" },
    { "SupportsLOMDevice", 16, "i- m11.0 t- v- w-" },
    { "IsMDMLostModeEnabled", 16, "i9.3 m- t- v-" },
    { "MaximumResidentUsers", 16, "i9.3 m- t- v- w-" },
    { "EstimatedResidentUsers", 16, "i14.0 m- t- v- w-" },
    { "QuotaSize", 16, "i13.4 m- t- v- w-" },
    { "ResidentUsers", 16, "i13.4 m- t- v- w-" },
    { "UserSessionTimeout", 16, "i14.5 m- t- v- w-" },
    { "TemporarySessionTimeout", 16, "i14.5 m- t- v- w-" },
    { "TemporarySessionOnly", 16, "i14.5 m- t- v- w-" },
    { "ManagedAppleIDDefaultDomains", 16, "i16.0 m- t- v- w-" },
    { "OnlineAuthenticationGracePeriod", 16, "i16.0 m- t- v- w-" },
    { "SkipLanguageAndLocaleSetupForNewUsers", 16, "i16.2 m- t- v- w-" },
    { "PushToken", 16, "i9.3 m10.12 t- v- w-" },
    { "DiagnosticSubmissionEnabled", 16, "i9.3 m- t-" },
    { "AppAnalyticsEnabled", 16, "i9.3 m- t-" },
    { "TimeZone", 16, "i14.0 m- t14.0 v2.0" },
    { "ICCID", 32, "m- t- v- w-" },
    { "BluetoothMAC", 32, "w-" },
    { "WiFiMAC", 32, NULL },
    { "EthernetMAC", 32, "i- t- v- w-" },
    { "CurrentCarrierNetwork", 32, "m- t- v- w-" },
    { "SIMCarrierNetwork", 32, "m- t- v- w-" },
    { "SubscriberCarrierNetwork", 32, "i5.0 m- t- v- w-" },
    { "CarrierSettingsVersion", 32, "m- t- v- w-" },
    { "PhoneNumber", 32, "m- t- v- w-" },
    { "DataRoamingEnabled", 32, "i5.0 m- t- v- w-" },
    { "VoiceRoamingEnabled", 32, "i5.0 m- t- v- w-" },
    { "PersonalHotspotEnabled", 32, "i7.0 m- t- v- w-" },
    { "IsNetworkTethered", 32, "i10.3 m- t- v- w-" },
    { "IsRoaming", 32, "i4.2 m- t- v- w-" },
    { "SubscriberMCC", 32, "i4.2.6 m- t- v- w-" },
    { "SubscriberMNC", 32, "i4.2.6 m- t- v- w-" },
    { "CurrentMCC", 32, "m- t- v- w-" },
    { "CurrentMNC", 32, "m- t- v- w-" },
    { "ServiceSubscriptions", 32, "i12.0 m- t- v- w-" },
    { "PINRequiredForEraseDevice", 16, "i- m11.0 t- v- w-" },
    { "PINRequiredForDeviceLock", 16, "i- m11.0 t- v- w-" },
    { "SupportsiOSAppInstalls", 16, "i- m11.0 t- v- w-" },
    { "SoftwareUpdateDeviceID", 0, "i15.0 m12.0 t- w-" },
    { "SoftwareUpdateSettings", 0, "i14.5 m- t- v- w-" },
    { "AccessibilitySettings", 0, "i16.0 m- t- v-" },
    { "DevicePropertiesAttestation", 0, "i16.0 m14.0 t16.0" },
    { "EACSPreflight", 16, "i- m13.3 t- v- w-" },
    { NULL, 0, NULL }
};

const mdm_command_type_t mdm_commands_settings[] = {
    { .name = "DeviceInformation", .keys = device_information_keys, .since = "i4.0 m10.7 t9.0 v1.1 w10.0",
      .user_enrollment = "imv", .mac = "DU", .shared_ipad = "DU" },
    { .name = "Settings", .keys = settings_keys, .since = "i5.0 m10.9 t9.0 v1.1 w10.0", .right = 2048,
      .user_enrollment = "imv", .mac = "DU", .shared_ipad = "DU" },
    { .name = NULL }
};
