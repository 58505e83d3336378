/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Apple's commands, part of the table: locks, wipes, passwords, updates and the rest.
 * Data only; looked up through mdm_command_table.c, in any thread. What the members mean is in mdm_command_table.h.
 */
#include "mdm_command_table.h"

static const mdm_command_key_t clear_passcode_keys[] = {
    MDM_KEY("UnlockToken", DATA),
    MDM_KEYS_END
};

static const mdm_command_key_t device_lock_keys[] = {
    MDM_KEY("Message", STRING, .since = "i7.0 m10.14 v-"),
    MDM_KEY("PhoneNumber", STRING, .since = "i7.0 m11.5 v-"),
    MDM_KEY("PIN", STRING, .since = "i- m10.8 v- w-"),
    MDM_KEYS_END
};

static const mdm_command_key_t enable_lost_mode_keys[] = {
    MDM_KEY("Message", STRING),
    MDM_KEY("PhoneNumber", STRING),
    MDM_KEY("Footnote", STRING),
    MDM_KEYS_END
};

static const mdm_command_key_t return_to_service[] = {
    MDM_KEY("Enabled", BOOLEAN, .required = 1),
    MDM_KEY("WiFiProfileData", DATA),
    MDM_KEY("MDMProfileData", DATA),
    MDM_KEY("BootstrapToken", DATA, .since = "i26.0 v26.0"),
    MDM_KEY("ShouldRetryEnrollment", BOOLEAN, .since = "i27.0"),
    MDM_KEYS_END
};

static const mdm_command_key_t erase_device_keys[] = {
    MDM_KEY("PreserveDataPlan", BOOLEAN, .since = "i11.0 m- t- v-"),
    MDM_KEY("DisallowProximitySetup", BOOLEAN, .since = "i11.3 m- t- v- w-"),
    MDM_KEY("PIN", STRING, .since = "i- m10.8 t- v- w-"),
    MDM_KEY("ObliterationBehavior", STRING,
            .values = "Default|DoNotObliterate|ObliterateWithWarning|Always", .since = "i- m12.0 t- v- w-"),
    MDM_KEY("ReturnToService", DICT, .since = "i17.0 m- t18.0 v- w-", .keys = return_to_service),
    MDM_KEYS_END
};

static const mdm_command_key_t texts[] = {
    MDM_KEY("item", STRING),
    MDM_KEYS_END
};

static const mdm_command_key_t request_list_item[] = {
    MDM_KEY("DeviceRequestType", STRING, .required = 1, .values = "PowerON|PowerOFF|Reset"),
    MDM_KEY("DeviceRequestUUID", STRING, .required = 1),
    MDM_KEY("DeviceDNSName", STRING, .required = 1),
    MDM_KEY("PrimaryIPv6AddressList", ARRAY, .required = 1, .keys = texts),
    MDM_KEY("SecondaryIPv6AddressList", ARRAY, .required = 1, .keys = texts),
    MDM_KEY("LOMProtocolVersion", INTEGER, .required = 1),
    MDM_KEYS_END
};

static const mdm_command_key_t request_list_item_2[] = {
    MDM_KEY("item", DICT, .keys = request_list_item),
    MDM_KEYS_END
};

static const mdm_command_key_t lom_device_request_keys[] = {
    MDM_KEY("RequestList", ARRAY, .required = 1, .keys = request_list_item_2),
    MDM_KEYS_END
};

static const mdm_command_key_t refresh_cellular_plans_keys[] = {
    MDM_KEY("eSIMServerURL", STRING, .required = 1),
    MDM_KEYS_END
};

static const mdm_command_key_t request_mirroring_keys[] = {
    MDM_KEY("DestinationName", STRING),
    MDM_KEY("DestinationDeviceID", STRING),
    MDM_KEY("ScanTime", INTEGER),
    MDM_KEY("Password", STRING),
    MDM_KEYS_END
};

static const mdm_command_key_t restart_device_keys[] = {
    MDM_KEY("RebuildKernelCache", BOOLEAN, .since = "i- m11.0 t-"),
    MDM_KEY("KextPaths", ARRAY, .since = "i- m11.0 t-", .keys = texts),
    MDM_KEY("NotifyUser", BOOLEAN, .since = "i- m11.4 t-"),
    MDM_KEYS_END
};

static const mdm_command_key_t restrictions_keys[] = {
    MDM_KEY("ProfileRestrictions", BOOLEAN, .fill = "false"),
    MDM_KEYS_END
};

static const mdm_command_key_t file_vault_unlock[] = {
    MDM_KEY("Password", STRING),
    MDM_KEY("PrivateKeyExport", DATA),
    MDM_KEY("PrivateKeyExportPassword", STRING),
    MDM_KEYS_END
};

static const mdm_command_key_t rotate_file_vault_key_keys[] = {
    MDM_KEY("KeyType", STRING, .required = 1, .values = "personal|institutional"),
    MDM_KEY("FileVaultUnlock", DICT, .required = 1, .keys = file_vault_unlock),
    MDM_KEY("NewCertificate", DATA),
    MDM_KEY("ReplyEncryptionCertificate", DATA),
    MDM_KEYS_END
};

static const mdm_command_key_t updates_item[] = {
    MDM_KEY("ProductKey", STRING),
    MDM_KEY("ProductVersion", STRING, .since = "i11.3 m12.0 t12.2"),
    MDM_KEY("InstallAction", STRING, .required = 1,
            .values = "Default|DownloadOnly|InstallASAP|NotifyOnly|InstallLater|InstallForceRestart"),
    MDM_KEY("MaxUserDeferrals", INTEGER, .since = "i- m12.0 t-"),
    MDM_KEY("Priority", STRING, .values = "Low|High", .since = "i- m12.3 t-"),
    MDM_KEYS_END
};

static const mdm_command_key_t updates_item_2[] = {
    MDM_KEY("item", DICT, .keys = updates_item),
    MDM_KEYS_END
};

static const mdm_command_key_t schedule_os_update_keys[] = {
    MDM_KEY("Updates", ARRAY, .required = 1, .keys = updates_item_2),
    MDM_KEYS_END
};

static const mdm_command_key_t schedule_os_update_scan_keys[] = {
    MDM_KEY("Force", BOOLEAN, .fill = "false"),
    MDM_KEYS_END
};

static const mdm_command_key_t set_firmware_password_keys[] = {
    MDM_KEY("CurrentPassword", STRING),
    MDM_KEY("NewPassword", STRING, .required = 1),
    MDM_KEY("AllowOroms", BOOLEAN, .fill = "false"),
    MDM_KEYS_END
};

static const mdm_command_key_t set_recovery_lock_keys[] = {
    MDM_KEY("CurrentPassword", STRING),
    MDM_KEY("NewPassword", STRING, .required = 1),
    MDM_KEYS_END
};

static const mdm_command_key_t trigger_enhanced_log_collection_keys[] = {
    MDM_KEY("AppleCareToken", STRING, .required = 1),
    MDM_KEYS_END
};

static const mdm_command_key_t verify_firmware_password_keys[] = {
    MDM_KEY("Password", STRING, .required = 1),
    MDM_KEYS_END
};

const mdm_command_type_t mdm_commands_device[] = {
    { .name = "ActivationLockBypassCode", .since = "i7.1 m10.15 v2.0", .supervised = "imv", .mac = "D" },
    { .name = "AvailableOSUpdates", .since = "i9.0 m10.11 t12.0", .supervised = "it", .right = 4096,
      .right_on = "it", .mac = "D", .shared_ipad = "D" },
    { .name = "CancelEnhancedLogCollection", .since = "i27.0 m27.0 t27.0", .supervised = "imt", .mac = "U",
      .shared_ipad = "D" },
    { .name = "ClearActivationLockBypassCode", .since = "i7.1 m10.15 v2.0", .supervised = "imv", .mac = "D" },
    { .name = "ClearPasscode", .keys = clear_passcode_keys, .since = "i4.0 v1.1 w10.0", .right = 4 },
    { .name = "ClearRestrictionsPassword", .since = "i8.0", .supervised = "i" },
    { .name = "ContentCachingInformation", .since = "m10.15.4", .right = 32, .mac = "D" },
    { .name = "DeviceLocation", .since = "i9.3", .supervised = "i", .shared_ipad = "D" },
    { .name = "DeviceLock", .keys = device_lock_keys, .since = "i4.0 m10.7 v2.0 w10.0", .right = 4,
      .user_enrollment = "iv", .mac = "D", .shared_ipad = "D" },
    { .name = "DisableLostMode", .since = "i9.3", .supervised = "i", .shared_ipad = "D" },
    { .name = "DisableRemoteDesktop", .since = "m10.14.4", .supervised = "m", .mac = "D" },
    { .name = "EnableLostMode", .keys = enable_lost_mode_keys, .since = "i9.3", .supervised = "i",
      .shared_ipad = "D" },
    { .name = "EnableRemoteDesktop", .since = "m10.14.4", .supervised = "m", .mac = "D" },
    { .name = "EraseDevice", .keys = erase_device_keys, .since = "i4.0 m10.7 t10.2 v1.1 w10.0", .right = 8,
      .mac = "D", .shared_ipad = "D" },
    { .name = "LOMDeviceRequest", .keys = lom_device_request_keys, .since = "m11.0", .right = 4, .mac = "D" },
    { .name = "LOMSetupRequest", .since = "m11.0", .right = 4, .mac = "D" },
    { .name = "OSUpdateStatus", .since = "i9.0 m10.11.5 t12.0", .supervised = "imt", .right = 4096,
      .right_on = "it", .mac = "D", .shared_ipad = "D" },
    { .name = "PlayLostModeSound", .since = "i10.3", .supervised = "i", .shared_ipad = "D" },
    { .name = "RefreshCellularPlans", .keys = refresh_cellular_plans_keys, .since = "i13.0", .shared_ipad = "D" },
    { .name = "RequestMirroring", .keys = request_mirroring_keys, .since = "i7.0 m10.10",
      .user_enrollment = "im", .mac = "D", .shared_ipad = "D" },
    { .name = "RequestUnlockToken", .since = "i5.0", .supervised = "i" },
    { .name = "RestartDevice", .keys = restart_device_keys, .since = "i10.3 m10.13 t10.2", .supervised = "it",
      .right = 4, .mac = "D", .shared_ipad = "D" },
    { .name = "Restrictions", .keys = restrictions_keys, .since = "i4.0 t9.0 v1.1 w10.0", .right = 512,
      .shared_ipad = "DU" },
    { .name = "RotateFileVaultKey", .keys = rotate_file_vault_key_keys, .since = "m10.9", .right = 4,
      .mac = "D" },
    { .name = "ScheduleOSUpdate", .keys = schedule_os_update_keys, .since = "i9.0 m10.11 t12.0",
      .supervised = "imt", .right = 4096, .right_on = "it", .mac = "D", .shared_ipad = "D" },
    { .name = "ScheduleOSUpdateScan", .keys = schedule_os_update_scan_keys, .since = "m10.11",
      .supervised = "m", .mac = "D" },
    { .name = "SecurityInfo", .since = "i4.0 m10.7 t9.0 v1.1 w10.0", .right = 1024, .user_enrollment = "imv",
      .mac = "DU", .shared_ipad = "D" },
    { .name = "SetFirmwarePassword", .keys = set_firmware_password_keys, .since = "m10.13", .right = 4,
      .mac = "D" },
    { .name = "SetRecoveryLock", .keys = set_recovery_lock_keys, .since = "m11.5", .right = 4, .mac = "D" },
    { .name = "ShutDownDevice", .since = "i10.3 m10.13", .supervised = "i", .right = 4, .mac = "D",
      .shared_ipad = "D" },
    { .name = "StopMirroring", .since = "i7.0 m10.10", .supervised = "i", .mac = "D", .shared_ipad = "D" },
    { .name = "TriggerEnhancedLogCollection", .keys = trigger_enhanced_log_collection_keys,
      .since = "i27.0 m27.0 t27.0", .supervised = "imt", .mac = "U", .shared_ipad = "D" },
    { .name = "VerifyFirmwarePassword", .keys = verify_firmware_password_keys, .since = "m10.13", .mac = "D" },
    { .name = "VerifyRecoveryLock", .keys = verify_firmware_password_keys, .since = "m11.5", .right = 4,
      .mac = "D" },
    { .name = NULL }
};
