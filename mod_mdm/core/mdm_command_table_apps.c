/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Apple's commands, part of the table: apps, books and what is installed of them.
 * Data only; looked up through mdm_command_table.c, in any thread. What the members mean is in mdm_command_table.h.
 */
#include "mdm_command_table.h"

static const mdm_command_key_t texts[] = {
    MDM_KEY("item", STRING),
    MDM_KEYS_END
};

static const mdm_command_key_t active_ns_extensions_keys[] = {
    MDM_KEY("FilterExtensionPoints", ARRAY, .keys = texts),
    MDM_KEYS_END
};

static const mdm_command_key_t apply_redemption_code_keys[] = {
    MDM_KEY("Identifier", STRING, .required = 1),
    MDM_KEY("RedemptionCode", STRING, .required = 1),
    MDM_KEYS_END
};

static const mdm_command_key_t options[] = {
    MDM_KEY("PurchaseMethod", INTEGER, .values = "0|1", .fill = "0"),
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

static const mdm_command_key_t install_application_keys[] = {
    MDM_KEY("iTunesStoreID", INTEGER),
    MDM_KEY("Identifier", STRING, .since = "i7.0"),
    MDM_KEY("Options", DICT, .since = "i7.0", .keys = options),
    MDM_KEY("ManifestURL", STRING, .since = "i7.0"),
    MDM_KEY("ManagementFlags", INTEGER, .values = "1|4|5", .since = "m11.0"),
    MDM_KEY("Configuration", DICT, .since = "i7.0 m11.0"),
    MDM_KEY("Attributes", DICT, .since = "i7.0 m-", .keys = attributes),
    MDM_KEY("ChangeManagementState", STRING, .values = "Managed", .since = "i9.0 m11.0"),
    MDM_KEY("InstallAsManaged", BOOLEAN, .since = "i- m11.0 t- v- w-"),
    MDM_KEY("iOSApp", BOOLEAN, .since = "i- m11.0 t- v- w-"),
    MDM_KEYS_END
};

static const mdm_command_key_t datas[] = {
    MDM_KEY("item", DATA),
    MDM_KEYS_END
};

static const mdm_command_key_t install_enterprise_application_keys[] = {
    MDM_KEY("Manifest", DICT),
    MDM_KEY("ManifestURL", STRING),
    MDM_KEY("ManifestURLPinningCerts", ARRAY, .keys = datas),
    MDM_KEY("PinningRevocationCheckRequired", BOOLEAN, .fill = "false"),
    MDM_KEY("InstallAsManaged", BOOLEAN, .since = "m11.0"),
    MDM_KEY("ManagementFlags", INTEGER, .values = "1", .since = "m11.0"),
    MDM_KEY("Configuration", DICT, .since = "m11.0"),
    MDM_KEY("ChangeManagementState", STRING, .values = "Managed", .since = "m11.0"),
    MDM_KEY("iOSApp", BOOLEAN, .since = "i- m11.0 t-"),
    MDM_KEYS_END
};

static const mdm_command_key_t install_media_keys[] = {
    MDM_KEY("iTunesStoreID", INTEGER),
    MDM_KEY("MediaURL", STRING, .since = "m-"),
    MDM_KEY("MediaType", STRING, .required = 1, .values = "Book"),
    MDM_KEY("PersistentID", STRING, .since = "m-"),
    MDM_KEY("Kind", STRING, .values = "pdf|epub|ibooks", .since = "m-"),
    MDM_KEY("Version", STRING, .since = "m-"),
    MDM_KEY("Author", STRING, .since = "m-"),
    MDM_KEY("Title", STRING, .since = "m-"),
    MDM_KEYS_END
};

static const mdm_command_key_t items_item[] = {
    MDM_KEY("item", STRING,
            .values = "AdHocCodeSigned|AppStoreVendable|BetaApp|BundleSize|DeviceBasedVPP|"
            "DistributorIdentifier|DynamicSize|ExternalVersionIdentifier|HasUpdateAvailable|Identifier|"
            "Installing|IsAppClip|IsValidated|Name|ShortVersion|Version"),
    MDM_KEYS_END
};

static const mdm_command_key_t installed_application_list_keys[] = {
    MDM_KEY("Identifiers", ARRAY, .since = "i7.0 m10.15", .keys = texts),
    MDM_KEY("ManagedAppsOnly", BOOLEAN, .since = "i7.0 m10.15"),
    MDM_KEY("Items", ARRAY, .since = "i14.0 m- t14.0", .keys = items_item),
    MDM_KEYS_END
};

static const mdm_command_key_t invite_to_program_keys[] = {
    MDM_KEY("ProgramID", STRING, .required = 1, .values = "com.apple.cloudvpp"),
    MDM_KEY("InvitationURL", STRING, .required = 1),
    MDM_KEYS_END
};

static const mdm_command_key_t managed_application_attributes_keys[] = {
    MDM_KEY("Identifiers", ARRAY, .required = 1, .keys = texts),
    MDM_KEYS_END
};

static const mdm_command_key_t managed_application_feedback_keys[] = {
    MDM_KEY("Identifiers", ARRAY, .required = 1, .keys = texts),
    MDM_KEY("DeleteFeedback", BOOLEAN, .fill = "false"),
    MDM_KEYS_END
};

static const mdm_command_key_t managed_application_list_keys[] = {
    MDM_KEY("Identifiers", ARRAY, .since = "i7.0", .keys = texts),
    MDM_KEYS_END
};

static const mdm_command_key_t remove_application_keys[] = {
    MDM_KEY("Identifier", STRING, .required = 1),
    MDM_KEYS_END
};

static const mdm_command_key_t remove_media_keys[] = {
    MDM_KEY("MediaType", STRING, .required = 1, .values = "Book"),
    MDM_KEY("iTunesStoreID", STRING),
    MDM_KEY("PersistentID", STRING),
    MDM_KEYS_END
};

static const mdm_command_key_t validate_applications_keys[] = {
    MDM_KEY("Identifiers", ARRAY, .keys = texts),
    MDM_KEYS_END
};

const mdm_command_type_t mdm_commands_apps[] = {
    { .name = "ActiveNSExtensions", .keys = active_ns_extensions_keys, .since = "m10.13", .right = 256,
      .mac = "U" },
    { .name = "ApplyRedemptionCode", .keys = apply_redemption_code_keys, .since = "i5.0", .right = 4096 },
    { .name = "InstallApplication", .keys = install_application_keys, .since = "i5.0 m10.9 t10.2 v1.1 w10.0",
      .right = 4096, .user_enrollment = "imv", .mac = "DU", .shared_ipad = "D" },
    { .name = "InstallEnterpriseApplication", .keys = install_enterprise_application_keys, .since = "m10.13.6",
      .right = 4096, .user_enrollment = "m", .mac = "D" },
    { .name = "InstallMedia", .keys = install_media_keys, .since = "i8.0 m10.9", .right = 4096,
      .user_enrollment = "i", .mac = "U", .shared_ipad = "D" },
    { .name = "InstalledApplicationList", .keys = installed_application_list_keys,
      .since = "i5.0 m10.7 t10.2 v1.1 w10.0", .right = 256, .user_enrollment = "iv", .mac = "DU",
      .shared_ipad = "D" },
    { .name = "InviteToProgram", .keys = invite_to_program_keys, .since = "i7.0 m10.9", .right = 4096,
      .right_on = "i", .mac = "U", .shared_ipad = "U" },
    { .name = "ManagedApplicationAttributes", .keys = managed_application_attributes_keys,
      .since = "i7.0 t10.2 v1.1 w10.0", .right = 4096, .user_enrollment = "iv", .shared_ipad = "D" },
    { .name = "ManagedApplicationConfiguration", .keys = managed_application_attributes_keys,
      .since = "i7.0 m10.15 t10.2 v1.1 w10.0", .right = 4096, .user_enrollment = "imv", .mac = "D",
      .shared_ipad = "D" },
    { .name = "ManagedApplicationFeedback", .keys = managed_application_feedback_keys,
      .since = "i7.0 m11.0 t10.2 v1.1", .right = 4096, .user_enrollment = "iv", .mac = "U", .shared_ipad = "D" },
    { .name = "ManagedApplicationList", .keys = managed_application_list_keys,
      .since = "i5.0 m11.0 t10.2 v1.1 w10.0", .right = 4096, .user_enrollment = "imv", .mac = "DU",
      .shared_ipad = "D" },
    { .name = "ManagedMediaList", .since = "i8.0", .right = 4096, .user_enrollment = "i", .shared_ipad = "D" },
    { .name = "NSExtensionMappings", .since = "m10.13", .right = 256, .mac = "U" },
    { .name = "RemoveApplication", .keys = remove_application_keys, .since = "i5.0 m11.0 t10.2 v1.1 w10.0",
      .right = 4096, .user_enrollment = "iv", .mac = "D", .shared_ipad = "D" },
    { .name = "RemoveMedia", .keys = remove_media_keys, .since = "i8.0", .right = 4096, .user_enrollment = "i",
      .shared_ipad = "D" },
    { .name = "ValidateApplications", .keys = validate_applications_keys, .since = "i9.2 t10.2 v1.1",
      .right = 4096, .user_enrollment = "iv", .shared_ipad = "D" },
    { .name = NULL }
};
