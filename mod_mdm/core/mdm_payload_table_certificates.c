/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Apple's payload types, part of the table: certificates, SCEP, ACME, and sign-on with them.
 * Data only; looked up through mdm_payload_table.c, in any thread; mdm_payload_table.h says what the members mean.
 */
#include "mdm_payload_table.h"

static const mdm_payload_key_t ad_certificate[] = {
    MDM_PAYLOAD_KEY("CertServer", STRING, .required = 1),
    MDM_PAYLOAD_KEY("CertTemplate", STRING, .required = 1),
    MDM_PAYLOAD_KEY("Description", STRING),
    MDM_PAYLOAD_KEY("CertificateRenewalTimeInterval", INTEGER),
    MDM_PAYLOAD_KEY("CertificateAuthority", STRING, .since = "m10.8"),
    MDM_PAYLOAD_KEY("CertificateAcquisitionMechanism", STRING, .since = "m10.8"),
    MDM_PAYLOAD_KEY("AllowAllAppsAccess", BOOLEAN, .preset = "false", .since = "m10.10"),
    MDM_PAYLOAD_KEY("PromptForCredentials", BOOLEAN, .preset = "false", .since = "m10.8"),
    MDM_PAYLOAD_KEY("KeyIsExtractable", BOOLEAN, .preset = "false", .since = "m10.10"),
    MDM_PAYLOAD_KEY("Keysize", INTEGER, .preset = "2048", .since = "m10.11"),
    MDM_PAYLOAD_KEY("EnableAutoRenewal", BOOLEAN, .preset = "false", .since = "m10.13.4"),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t texts[] = {
    MDM_PAYLOAD_KEY("item", STRING),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t extensible_sso_token_to_user_mapping[] = {
    MDM_PAYLOAD_KEY("AccountName", STRING),
    MDM_PAYLOAD_KEY("FullName", STRING),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t extensible_sso_authorization_groups[] = {
    MDM_PAYLOAD_KEY("*", STRING),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t extensible_sso_file_vault_policy[] = {
    MDM_PAYLOAD_KEY("item", STRING,
                    .values = "AttemptAuthentication|RequireAuthentication|AllowOfflineGracePeriod|"
                        "AllowAuthenticationGracePeriod"),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t extensible_sso_unlock_policy[] = {
    MDM_PAYLOAD_KEY("item", STRING,
                    .values = "AttemptAuthentication|RequireAuthentication|AllowOfflineGracePeriod|"
                        "AllowAuthenticationGracePeriod|AllowTouchIDOrWatchForUnlock"),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t extensible_sso_platform_sso[] = {
    MDM_PAYLOAD_KEY("AuthenticationMethod", STRING, .values = "Password|UserSecureEnclaveKey|SmartCard"),
    MDM_PAYLOAD_KEY("UseSharedDeviceKeys", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("AccountDisplayName", STRING),
    MDM_PAYLOAD_KEY("LoginFrequency", INTEGER, .range = "3600 -", .preset = "64800"),
    MDM_PAYLOAD_KEY("EnableCreateUserAtLogin", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("EnableAuthorization", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("TokenToUserMapping", DICT, .keys = extensible_sso_token_to_user_mapping),
    MDM_PAYLOAD_KEY("NewUserAuthorizationMode", STRING, .values = "Standard|Admin|Groups"),
    MDM_PAYLOAD_KEY("UserAuthorizationMode", STRING, .values = "Standard|Admin|Groups"),
    MDM_PAYLOAD_KEY("AdministratorGroups", ARRAY, .keys = texts),
    MDM_PAYLOAD_KEY("AdditionalGroups", ARRAY, .keys = texts),
    MDM_PAYLOAD_KEY("AuthorizationGroups", DICT, .keys = extensible_sso_authorization_groups),
    MDM_PAYLOAD_KEY("FileVaultPolicy", ARRAY, .since = "m15.0", .keys = extensible_sso_file_vault_policy),
    MDM_PAYLOAD_KEY("LoginPolicy", ARRAY, .since = "m15.0", .keys = extensible_sso_file_vault_policy),
    MDM_PAYLOAD_KEY("UnlockPolicy", ARRAY, .since = "m15.0", .keys = extensible_sso_unlock_policy),
    MDM_PAYLOAD_KEY("OfflineGracePeriod", INTEGER, .since = "m15.0"),
    MDM_PAYLOAD_KEY("AuthenticationGracePeriod", INTEGER, .since = "m15.0"),
    MDM_PAYLOAD_KEY("NonPlatformSSOAccounts", ARRAY, .since = "m15.0", .keys = texts),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t extensible_sso[] = {
    MDM_PAYLOAD_KEY("ExtensionIdentifier", STRING, .required = 1),
    MDM_PAYLOAD_KEY("TeamIdentifier", STRING),
    MDM_PAYLOAD_KEY("Type", STRING, .required = 1, .values = "Credential|Redirect"),
    MDM_PAYLOAD_KEY("Realm", STRING),
    MDM_PAYLOAD_KEY("ExtensionData", DICT),
    MDM_PAYLOAD_KEY("Hosts", ARRAY, .keys = texts),
    MDM_PAYLOAD_KEY("URLs", ARRAY, .keys = texts),
    MDM_PAYLOAD_KEY("ScreenLockedBehavior", STRING, .values = "Cancel|DoNotHandle", .preset = "Cancel",
                    .since = "i15.0 m12.0"),
    MDM_PAYLOAD_KEY("DeniedBundleIdentifiers", ARRAY, .since = "i15.0 m12.0", .keys = texts),
    MDM_PAYLOAD_KEY("AuthenticationMethod", STRING, .values = "Password|UserSecureEnclaveKey",
                    .since = "i- m13.0 v-", .deprecated = "m14.0"),
    MDM_PAYLOAD_KEY("RegistrationToken", STRING, .secret = 1, .since = "i- m13.0 v-"),
    MDM_PAYLOAD_KEY("PlatformSSO", DICT, .since = "i- m14.0 v-", .keys = extensible_sso_platform_sso),
    MDM_PAYLOAD_KEYS_END
};

/* A subject is an array of sets of pairs: [[["CN", "name"]]]. */
static const mdm_payload_key_t subject_set[] = {
    MDM_PAYLOAD_KEY("item", ARRAY, .range = "2 2", .keys = texts),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t subject[] = {
    MDM_PAYLOAD_KEY("item", ARRAY, .keys = subject_set),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t acme_subject_alt_name[] = {
    MDM_PAYLOAD_KEY("rfc822Name", STRING),
    MDM_PAYLOAD_KEY("dNSName", STRING),
    MDM_PAYLOAD_KEY("uniformResourceIdentifier", STRING),
    MDM_PAYLOAD_KEY("ntPrincipalName", STRING),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t acme[] = {
    MDM_PAYLOAD_KEY("DirectoryURL", STRING, .required = 1),
    MDM_PAYLOAD_KEY("ClientIdentifier", STRING, .required = 1, .secret = 1),
    MDM_PAYLOAD_KEY("KeySize", INTEGER, .required = 1),
    MDM_PAYLOAD_KEY("KeyType", STRING, .required = 1, .values = "RSA|ECSECPrimeRandom"),
    MDM_PAYLOAD_KEY("HardwareBound", BOOLEAN, .required = 1),
    MDM_PAYLOAD_KEY("Subject", ARRAY, .required = 1, .keys = subject),
    MDM_PAYLOAD_KEY("SubjectAltName", DICT, .keys = acme_subject_alt_name),
    MDM_PAYLOAD_KEY("UsageFlags", INTEGER),
    MDM_PAYLOAD_KEY("ExtendedKeyUsage", ARRAY, .keys = texts),
    MDM_PAYLOAD_KEY("Attest", BOOLEAN, .preset = "false", .since = "w10.0"),
    MDM_PAYLOAD_KEY("KeyIsExtractable", BOOLEAN, .preset = "true", .since = "i- t- v- w-"),
    MDM_PAYLOAD_KEY("AllowAllAppsAccess", BOOLEAN, .preset = "false", .since = "i- t- v- w-"),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t certificatepreference[] = {
    MDM_PAYLOAD_KEY("Name", STRING, .required = 1),
    MDM_PAYLOAD_KEY("PayloadCertificateUUID", STRING, .required = 1),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t revocation_enabled_for_cert[] = {
    MDM_PAYLOAD_KEY("Algorithm", STRING, .required = 1, .values = "sha256"),
    MDM_PAYLOAD_KEY("Hash", DATA, .required = 1),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t revocation_enabled_for_certs[] = {
    MDM_PAYLOAD_KEY("item", DICT, .keys = revocation_enabled_for_cert),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t revocation[] = {
    MDM_PAYLOAD_KEY("EnabledForCerts", ARRAY, .keys = revocation_enabled_for_certs),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t transparency[] = {
    MDM_PAYLOAD_KEY("DisabledForCerts", ARRAY, .keys = revocation_enabled_for_certs),
    MDM_PAYLOAD_KEY("DisabledForDomains", ARRAY, .keys = texts),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t pem[] = {
    MDM_PAYLOAD_KEY("PayloadCertificateFileName", STRING),
    MDM_PAYLOAD_KEY("PayloadContent", DATA, .required = 1),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t pkcs12[] = {
    MDM_PAYLOAD_KEY("PayloadCertificateFileName", STRING),
    MDM_PAYLOAD_KEY("PayloadContent", DATA, .required = 1, .secret = 1),
    MDM_PAYLOAD_KEY("Password", STRING, .secret = 1),
    MDM_PAYLOAD_KEY("AllowAllAppsAccess", BOOLEAN, .preset = "false", .since = "i- m10.10 t- v- w-"),
    MDM_PAYLOAD_KEY("KeyIsExtractable", BOOLEAN, .preset = "true", .since = "i- m10.15 t- v- w-"),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t scep_payload_content[] = {
    MDM_PAYLOAD_KEY("URL", STRING, .required = 1, .since = "m10.7"),
    MDM_PAYLOAD_KEY("Name", STRING),
    MDM_PAYLOAD_KEY("Subject", ARRAY, .keys = subject),
    MDM_PAYLOAD_KEY("Challenge", STRING, .secret = 1),
    MDM_PAYLOAD_KEY("Keysize", INTEGER, .values = "1024|2048|4096", .preset = "1024"),
    MDM_PAYLOAD_KEY("Key Type", STRING, .preset = "RSA"),
    MDM_PAYLOAD_KEY("Key Usage", INTEGER, .preset = "0", .since = "m10.11"),
    MDM_PAYLOAD_KEY("CAFingerprint", DATA),
    MDM_PAYLOAD_KEY("Retries", INTEGER, .preset = "3", .since = "m10.10"),
    MDM_PAYLOAD_KEY("RetryDelay", INTEGER, .preset = "10", .since = "m10.10"),
    MDM_PAYLOAD_KEY("SubjectAltName", DICT, .keys = acme_subject_alt_name),
    MDM_PAYLOAD_KEY("KeyIsExtractable", BOOLEAN, .preset = "true", .since = "m10.13.4"),
    MDM_PAYLOAD_KEY("AllowAllAppsAccess", BOOLEAN, .preset = "false", .since = "m10.10"),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t scep[] = {
    MDM_PAYLOAD_KEY("PayloadContent", DICT, .required = 1, .keys = scep_payload_content),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t smartcard[] = {
    MDM_PAYLOAD_KEY("UserPairing", BOOLEAN, .preset = "true"),
    MDM_PAYLOAD_KEY("allowSmartCard", BOOLEAN, .preset = "true"),
    MDM_PAYLOAD_KEY("checkCertificateTrust", INTEGER, .values = "0|1|2|3", .preset = "0"),
    MDM_PAYLOAD_KEY("oneCardPerUser", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("tokenRemovalAction", INTEGER, .values = "0|1", .preset = "0", .since = "m10.13.4"),
    MDM_PAYLOAD_KEY("enforceSmartCard", BOOLEAN, .preset = "false", .since = "m10.13.2"),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t wapi_identity[] = {
    MDM_PAYLOAD_KEY("PEMData", DATA, .required = 1),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t sso_kerberos[] = {
    MDM_PAYLOAD_KEY("PrincipalName", STRING),
    MDM_PAYLOAD_KEY("PayloadCertificateUUID", STRING, .since = "i8.0"),
    MDM_PAYLOAD_KEY("Realm", STRING, .required = 1),
    MDM_PAYLOAD_KEY("URLPrefixMatches", ARRAY, .keys = texts),
    MDM_PAYLOAD_KEY("AppIdentifierMatches", ARRAY, .keys = texts),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t sso[] = {
    MDM_PAYLOAD_KEY("Name", STRING, .required = 1),
    MDM_PAYLOAD_KEY("Kerberos", DICT, .keys = sso_kerberos),
    MDM_PAYLOAD_KEYS_END
};

const mdm_payload_type_t mdm_payloads_certificates[] = {
    MDM_PAYLOAD_TYPE("com.apple.ADCertificate.managed", "Active Directory Certificate", ad_certificate,
                    .since = "m10.7", .user_enrollment = "m", .mac = "DU"),
    MDM_PAYLOAD_TYPE("com.apple.extensiblesso", "Extensible Single Sign-On", extensible_sso,
                    .since = "i13.0 m10.15 v1.1", .user_enrollment = "imv", .mac = "DU", .shared_ipad = "U"),
    MDM_PAYLOAD_TYPE("com.apple.security.acme", "ACME Certificate", acme,
                    .since = "i16.0 m13.1 t16.0 v1.0 w9.0", .user_enrollment = "imv", .mac = "DU",
                    .shared_ipad = "D"),
    MDM_PAYLOAD_TYPE("com.apple.security.certificatepreference", "Certificate Preference",
                    certificatepreference, .since = "m10.12", .user_enrollment = "m", .mac = "U"),
    MDM_PAYLOAD_TYPE("com.apple.security.certificaterevocation", "Certificate Revocation", revocation,
                    .since = "i14.2 v1.1", .user_enrollment = "iv", .shared_ipad = "D"),
    MDM_PAYLOAD_TYPE("com.apple.security.certificatetransparency", "Certificate Transparency", transparency,
                    .since = "i12.1.1 m10.14.2 t12.1.1 v1.0 w5.1.1", .user_enrollment = "imv", .mac = "D",
                    .shared_ipad = "D"),
    MDM_PAYLOAD_TYPE("com.apple.security.identitypreference", "Identity Preference", certificatepreference,
                    .since = "m10.12", .user_enrollment = "m", .mac = "U"),
    MDM_PAYLOAD_TYPE("com.apple.security.pem", "Certificate (PEM)", pem, .since = "i4.0 m10.7 t9.0 v1.0 w3.0",
                    .user_enrollment = "imv", .mac = "DU", .shared_ipad = "D"),
    MDM_PAYLOAD_TYPE("com.apple.security.pkcs1", "Certificate (PKCS #1)", pem,
                    .since = "i4.0 m10.7 t9.0 v1.0 w3.0", .user_enrollment = "imv", .mac = "DU",
                    .shared_ipad = "D"),
    MDM_PAYLOAD_TYPE("com.apple.security.pkcs12", "Certificate (PKCS #12)", pkcs12,
                    .since = "i4.0 m10.7 t9.0 v1.0 w3.0", .user_enrollment = "imv", .mac = "DU",
                    .shared_ipad = "D"),
    MDM_PAYLOAD_TYPE("com.apple.security.root", "Certificate (Root)", pem,
                    .since = "i4.0 m10.7 t9.0 v1.0 w3.0", .user_enrollment = "imv", .mac = "DU",
                    .shared_ipad = "D"),
    MDM_PAYLOAD_TYPE("com.apple.security.scep", "SCEP", scep, .since = "i4.0 m10.7 t9.0 v1.0 w3.0",
                    .user_enrollment = "imv", .mac = "DU", .shared_ipad = "D"),
    MDM_PAYLOAD_TYPE("com.apple.security.smartcard", "SmartCard", smartcard, .since = "m10.12.4",
                    .single = "m", .mac = "D"),
    MDM_PAYLOAD_TYPE("com.apple.security.wapi-identity", "WAPI Identity Certificate", wapi_identity),
    MDM_PAYLOAD_TYPE("com.apple.sso", "Single Sign-On", sso, .since = "i7.0", .user_enrollment = "i",
                    .single = "i"),
    MDM_PAYLOAD_TYPES_END
};
