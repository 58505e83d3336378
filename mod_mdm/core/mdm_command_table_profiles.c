/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Apple's commands, part of the table: profiles, certificates, users and set-up.
 * Data only; looked up through mdm_command_table.c, in any thread. What the members mean is in mdm_command_table.h.
 */
#include "mdm_command_table.h"

static const mdm_command_key_t auto_setup_admin_accounts_item[] = {
    MDM_KEY("shortName", STRING, .required = 1),
    MDM_KEY("fullName", STRING),
    MDM_KEY("passwordHash", DATA),
    MDM_KEY("hidden", BOOLEAN, .fill = "false"),
    MDM_KEYS_END
};

static const mdm_command_key_t auto_setup_admin_accounts_item_2[] = {
    MDM_KEY("item", DICT, .keys = auto_setup_admin_accounts_item),
    MDM_KEYS_END
};

static const mdm_command_key_t account_configuration_keys[] = {
    MDM_KEY("SkipPrimarySetupAccountCreation", BOOLEAN, .fill = "false"),
    MDM_KEY("SetPrimarySetupAccountAsRegularUser", BOOLEAN, .fill = "false"),
    MDM_KEY("PrimaryAccountFullName", STRING, .since = "m10.15"),
    MDM_KEY("PrimaryAccountUserName", STRING, .since = "m10.15"),
    MDM_KEY("DontAutoPopulatePrimaryAccountInfo", BOOLEAN, .since = "m10.15"),
    MDM_KEY("LockPrimaryAccountInfo", BOOLEAN, .since = "m10.15"),
    MDM_KEY("AutoSetupAdminAccounts", ARRAY, .keys = auto_setup_admin_accounts_item_2),
    MDM_KEY("ManagedLocalUserShortName", STRING, .since = "m11.0"),
    MDM_KEYS_END
};

static const mdm_command_key_t certificate_list_keys[] = {
    MDM_KEY("ManagedOnly", BOOLEAN, .since = "i13.0 m10.15 t13.0"),
    MDM_KEYS_END
};

static const mdm_command_key_t declarative_management_keys[] = {
    MDM_KEY("Data", DATA),
    MDM_KEYS_END
};

static const mdm_command_key_t delete_user_keys[] = {
    MDM_KEY("UserName", STRING),
    MDM_KEY("ForceDeletion", BOOLEAN, .since = "m-"),
    MDM_KEY("DeleteAllUsers", BOOLEAN, .since = "i14.0 m-"),
    MDM_KEYS_END
};

static const mdm_command_key_t install_profile_keys[] = {
    MDM_KEY("Payload", DATA, .required = 1),
    MDM_KEYS_END
};

static const mdm_command_key_t install_provisioning_profile_keys[] = {
    MDM_KEY("ProvisioningProfile", DATA, .required = 1),
    MDM_KEYS_END
};

static const mdm_command_key_t provisioning_profile_list_keys[] = {
    MDM_KEY("ManagedOnly", BOOLEAN, .since = "i13.0 t13.0"),
    MDM_KEYS_END
};

static const mdm_command_key_t remove_profile_keys[] = {
    MDM_KEY("Identifier", STRING, .required = 1),
    MDM_KEYS_END
};

static const mdm_command_key_t remove_provisioning_profile_keys[] = {
    MDM_KEY("UUID", STRING, .required = 1),
    MDM_KEYS_END
};

static const mdm_command_key_t set_auto_admin_password_keys[] = {
    MDM_KEY("GUID", STRING, .required = 1),
    MDM_KEY("passwordHash", DATA, .required = 1),
    MDM_KEYS_END
};

static const mdm_command_key_t unlock_user_account_keys[] = {
    MDM_KEY("UserName", STRING, .required = 1),
    MDM_KEYS_END
};

const mdm_command_type_t mdm_commands_profiles[] = {
    { .name = "AccountConfiguration", .keys = account_configuration_keys, .since = "m10.11", .ade = "m",
      .mac = "D" },
    { .name = "CertificateList", .keys = certificate_list_keys, .since = "i4.0 m10.7 t9.0 v1.1 w10.0",
      .right = 1, .user_enrollment = "imv", .mac = "DU", .shared_ipad = "D" },
    { .name = "DeclarativeManagement", .keys = declarative_management_keys,
      .since = "i15.0 m13.0 t16.0 v1.1 w10.0", .user_enrollment = "imv", .mac = "DU", .shared_ipad = "DU" },
    { .name = "DeleteUser", .keys = delete_user_keys, .since = "i9.3 m10.13", .supervised = "m", .mac = "D",
      .shared_ipad = "D", .shared_only = 1 },
    { .name = "DeviceConfigured", .since = "i9.0 m10.11 t10.2 v2.0", .supervised = "itv", .ade = "imv",
      .mac = "D", .shared_ipad = "D" },
    { .name = "InstallProfile", .keys = install_profile_keys, .since = "i4.0 m10.7 t9.0 v1.1 w10.0", .right = 2,
      .user_enrollment = "imv", .mac = "DU", .shared_ipad = "DU" },
    { .name = "InstallProvisioningProfile", .keys = install_provisioning_profile_keys,
      .since = "i4.0 m11.0 t10.2 v1.1 w10.0", .right = 128, .right_on = "itvw", .user_enrollment = "imv",
      .mac = "D", .shared_ipad = "D" },
    { .name = "LogOutUser", .since = "i9.3", .shared_ipad = "D", .shared_only = 1 },
    { .name = "ProfileList", .keys = certificate_list_keys, .since = "i4.0 m10.7 t9.0 v1.1 w10.0", .right = 1,
      .user_enrollment = "imv", .mac = "DU", .shared_ipad = "DU" },
    { .name = "ProvisioningProfileList", .keys = provisioning_profile_list_keys,
      .since = "i4.0 m11.0 t10.2 v1.1 w10.0", .right = 64, .right_on = "itvw", .user_enrollment = "imv",
      .mac = "D", .shared_ipad = "D" },
    { .name = "RemoveProfile", .keys = remove_profile_keys, .since = "i4.0 m10.7 t9.0 v1.1 w10.0", .right = 2,
      .user_enrollment = "imv", .mac = "DU", .shared_ipad = "DU" },
    { .name = "RemoveProvisioningProfile", .keys = remove_provisioning_profile_keys,
      .since = "i4.0 m11.0 t10.2 v1.1 w10.0", .right = 128, .right_on = "itvw", .user_enrollment = "imv",
      .mac = "D", .shared_ipad = "D" },
    { .name = "SetAutoAdminPassword", .keys = set_auto_admin_password_keys, .since = "m10.11", .ade = "m",
      .mac = "D" },
    { .name = "UnlockUserAccount", .keys = unlock_user_account_keys, .since = "m10.13", .right = 4, .mac = "D" },
    { .name = "UserConfigured", .since = "i17.0", .supervised = "i", .ade = "i", .shared_ipad = "U" },
    { .name = "UserList", .since = "i9.3 m10.13", .supervised = "m", .mac = "D", .shared_ipad = "D",
      .shared_only = 1 },
    { .name = NULL }
};
