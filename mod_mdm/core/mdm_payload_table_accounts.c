/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Apple's payload types, part of the table: accounts: mail, Exchange, calendars, contacts, directories.
 * Data only; looked up through mdm_payload_table.c, in any thread; mdm_payload_table.h says what the members mean.
 */
#include "mdm_payload_table.h"

static const mdm_payload_key_t aim[] = {
    MDM_PAYLOAD_KEY("AIMAccountDescription", STRING),
    MDM_PAYLOAD_KEY("AIMHostName", STRING, .required = 1, .values = "slogin.oscar.aol.com"),
    MDM_PAYLOAD_KEY("AIMUserName", STRING),
    MDM_PAYLOAD_KEY("AIMPassword", STRING, .secret = 1),
    MDM_PAYLOAD_KEY("AIMUseSSL", BOOLEAN, .preset = "true"),
    MDM_PAYLOAD_KEY("AIMPort", INTEGER, .range = "0 65535", .preset = "5190"),
    MDM_PAYLOAD_KEY("AIMAuthentication", STRING, .required = 1, .values = "AIMAuthPassword"),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t texts[] = {
    MDM_PAYLOAD_KEY("item", STRING),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t directory[] = {
    MDM_PAYLOAD_KEY("HostName", STRING, .required = 1),
    MDM_PAYLOAD_KEY("UserName", STRING),
    MDM_PAYLOAD_KEY("Password", STRING, .secret = 1),
    MDM_PAYLOAD_KEY("ClientID", STRING),
    MDM_PAYLOAD_KEY("Description", STRING),
    MDM_PAYLOAD_KEY("ADOrganizationalUnit", STRING),
    MDM_PAYLOAD_KEY("ADMountStyle", STRING),
    MDM_PAYLOAD_KEY("ADCreateMobileAccountAtLoginFlag", BOOLEAN, .preset = "false", .since = "m10.9"),
    MDM_PAYLOAD_KEY("ADCreateMobileAccountAtLogin", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("ADWarnUserBeforeCreatingMAFlag", BOOLEAN, .preset = "false", .since = "m10.9"),
    MDM_PAYLOAD_KEY("ADWarnUserBeforeCreatingMA", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("ADForceHomeLocalFlag", BOOLEAN, .preset = "false", .since = "m10.9"),
    MDM_PAYLOAD_KEY("ADForceHomeLocal", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("ADUseWindowsUNCPathFlag", BOOLEAN, .preset = "false", .since = "m10.9"),
    MDM_PAYLOAD_KEY("ADUseWindowsUNCPath", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("ADAllowMultiDomainAuthFlag", BOOLEAN, .preset = "false", .since = "m10.9"),
    MDM_PAYLOAD_KEY("ADAllowMultiDomainAuth", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("ADDefaultUserShellFlag", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("ADDefaultUserShell", STRING),
    MDM_PAYLOAD_KEY("ADMapUIDAttributeFlag", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("ADMapUIDAttribute", STRING),
    MDM_PAYLOAD_KEY("ADMapGIDAttributeFlag", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("ADMapGIDAttribute", STRING),
    MDM_PAYLOAD_KEY("ADMapGGIDAttributeFlag", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("ADMapGGIDAttribute", STRING),
    MDM_PAYLOAD_KEY("ADPreferredDCServerFlag", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("ADPreferredDCServer", STRING),
    MDM_PAYLOAD_KEY("ADDomainAdminGroupListFlag", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("ADDomainAdminGroupList", ARRAY, .keys = texts),
    MDM_PAYLOAD_KEY("ADNamespaceFlag", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("ADNamespace", STRING),
    MDM_PAYLOAD_KEY("ADPacketSignFlag", BOOLEAN, .preset = "false", .since = "m10.8"),
    MDM_PAYLOAD_KEY("ADPacketSign", STRING),
    MDM_PAYLOAD_KEY("ADPacketEncryptFlag", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("ADPacketEncrypt", STRING),
    MDM_PAYLOAD_KEY("ADRestrictDDNSFlag", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("ADRestrictDDNS", ARRAY, .since = "m10.8", .keys = texts),
    MDM_PAYLOAD_KEY("ADTrustChangePassIntervalDaysFlag", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("ADTrustChangePassIntervalDays", INTEGER),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t caldav[] = {
    MDM_PAYLOAD_KEY("CalDAVAccountDescription", STRING),
    MDM_PAYLOAD_KEY("CalDAVHostName", STRING, .required = 1),
    MDM_PAYLOAD_KEY("CalDAVUsername", STRING),
    MDM_PAYLOAD_KEY("CalDAVPassword", STRING, .secret = 1),
    MDM_PAYLOAD_KEY("CalDAVPrincipalURL", STRING),
    MDM_PAYLOAD_KEY("CalDAVUseSSL", BOOLEAN, .preset = "true"),
    MDM_PAYLOAD_KEY("CalDAVPort", INTEGER),
    MDM_PAYLOAD_KEY("VPNUUID", STRING, .since = "i14.0 m-"),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t carddav_default_service_handlers[] = {
    MDM_PAYLOAD_KEY("AudioCall", STRING, .since = "i10.0 m-"),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t carddav_communication_service_rules[] = {
    MDM_PAYLOAD_KEY("DefaultServiceHandlers", DICT, .since = "i10.0 m-",
                    .keys = carddav_default_service_handlers),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t carddav[] = {
    MDM_PAYLOAD_KEY("CardDAVAccountDescription", STRING, .since = "m10.7"),
    MDM_PAYLOAD_KEY("CardDAVHostName", STRING, .required = 1, .since = "m10.7"),
    MDM_PAYLOAD_KEY("CardDAVUsername", STRING, .since = "m10.7"),
    MDM_PAYLOAD_KEY("CardDAVPassword", STRING, .secret = 1, .since = "m10.7"),
    MDM_PAYLOAD_KEY("CardDAVPrincipalURL", STRING, .since = "m-"),
    MDM_PAYLOAD_KEY("CardDAVUseSSL", BOOLEAN, .preset = "true", .since = "m10.7"),
    MDM_PAYLOAD_KEY("CardDAVPort", INTEGER, .since = "m10.7"),
    MDM_PAYLOAD_KEY("CommunicationServiceRules", DICT, .since = "i10.0 m-",
                    .keys = carddav_communication_service_rules),
    MDM_PAYLOAD_KEY("VPNUUID", STRING, .since = "i14.0 m-"),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t exchange_default_service_handlers[] = {
    MDM_PAYLOAD_KEY("AudioCall", STRING, .since = "i10.0"),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t exchange_communication_service_rules[] = {
    MDM_PAYLOAD_KEY("DefaultServiceHandlers", DICT, .since = "i10.0",
                    .keys = exchange_default_service_handlers),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t exchange[] = {
    MDM_PAYLOAD_KEY("EmailAddress", STRING),
    MDM_PAYLOAD_KEY("Host", STRING),
    MDM_PAYLOAD_KEY("SSL", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("OAuth", BOOLEAN, .preset = "false", .since = "i12.0"),
    MDM_PAYLOAD_KEY("UserName", STRING),
    MDM_PAYLOAD_KEY("Password", STRING, .secret = 1),
    MDM_PAYLOAD_KEY("Certificate", DATA, .secret = 1, .since = "i7.0"),
    MDM_PAYLOAD_KEY("CertificateName", STRING, .since = "i7.0"),
    MDM_PAYLOAD_KEY("CertificatePassword", STRING, .secret = 1),
    MDM_PAYLOAD_KEY("PreventMove", BOOLEAN, .preset = "false", .since = "i5.0"),
    MDM_PAYLOAD_KEY("PreventAppSheet", BOOLEAN, .preset = "false", .since = "i5.0"),
    MDM_PAYLOAD_KEY("PayloadCertificateUUID", STRING),
    MDM_PAYLOAD_KEY("SMIMEEnabled", BOOLEAN, .preset = "false", .since = "i5.0 v-", .deprecated = "i10.0"),
    MDM_PAYLOAD_KEY("SMIMESigningEnabled", BOOLEAN, .preset = "false", .since = "i10.3"),
    MDM_PAYLOAD_KEY("SMIMESigningCertificateUUID", STRING, .since = "i5.0"),
    MDM_PAYLOAD_KEY("SMIMEEncryptionEnabled", BOOLEAN, .preset = "false", .since = "i10.3 v-",
                    .deprecated = "i12.0"),
    MDM_PAYLOAD_KEY("SMIMEEncryptionCertificateUUID", STRING, .since = "i5.0"),
    MDM_PAYLOAD_KEY("SMIMEEnablePerMessageSwitch", BOOLEAN, .preset = "false", .since = "i8.0 v-",
                    .deprecated = "i12.0"),
    MDM_PAYLOAD_KEY("disableMailRecentsSyncing", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("MailNumberOfPastDaysToSync", INTEGER, .values = "0|1|3|7|14|31", .preset = "7"),
    MDM_PAYLOAD_KEY("HeaderMagic", STRING, .since = "v-", .deprecated = "i7.0"),
    MDM_PAYLOAD_KEY("CommunicationServiceRules", DICT, .since = "i10.0",
                    .keys = exchange_communication_service_rules),
    MDM_PAYLOAD_KEY("allowMailDrop", BOOLEAN, .preset = "false", .since = "i9.2"),
    MDM_PAYLOAD_KEY("SMIMESigningUserOverrideable", BOOLEAN, .preset = "false", .since = "i12.0"),
    MDM_PAYLOAD_KEY("SMIMESigningCertificateUUIDUserOverrideable", BOOLEAN, .preset = "false",
                    .since = "i12.0"),
    MDM_PAYLOAD_KEY("SMIMEEncryptByDefault", BOOLEAN, .preset = "false", .since = "i12.0"),
    MDM_PAYLOAD_KEY("SMIMEEncryptByDefaultUserOverrideable", BOOLEAN, .preset = "false", .since = "i12.0"),
    MDM_PAYLOAD_KEY("SMIMEEncryptionCertificateUUIDUserOverrideable", BOOLEAN, .preset = "false",
                    .since = "i12.0"),
    MDM_PAYLOAD_KEY("SMIMEEnableEncryptionPerMessageSwitch", BOOLEAN, .preset = "false", .since = "i12.0"),
    MDM_PAYLOAD_KEY("EnableMail", BOOLEAN, .preset = "true", .since = "i13.0"),
    MDM_PAYLOAD_KEY("EnableContacts", BOOLEAN, .preset = "true", .since = "i13.0"),
    MDM_PAYLOAD_KEY("EnableCalendars", BOOLEAN, .preset = "true", .since = "i13.0"),
    MDM_PAYLOAD_KEY("EnableReminders", BOOLEAN, .preset = "true", .since = "i13.0"),
    MDM_PAYLOAD_KEY("EnableNotes", BOOLEAN, .preset = "true", .since = "i13.0"),
    MDM_PAYLOAD_KEY("EnableMailUserOverridable", BOOLEAN, .preset = "true", .since = "i13.0"),
    MDM_PAYLOAD_KEY("EnableContactsUserOverridable", BOOLEAN, .preset = "true", .since = "i13.0"),
    MDM_PAYLOAD_KEY("EnableCalendarsUserOverridable", BOOLEAN, .preset = "true", .since = "i13.0"),
    MDM_PAYLOAD_KEY("EnableRemindersUserOverridable", BOOLEAN, .preset = "true", .since = "i13.0"),
    MDM_PAYLOAD_KEY("EnableNotesUserOverridable", BOOLEAN, .preset = "true", .since = "i13.0"),
    MDM_PAYLOAD_KEY("OAuthSignInURL", STRING, .since = "i13.0"),
    MDM_PAYLOAD_KEY("OAuthTokenRequestURL", STRING, .since = "i13.0"),
    MDM_PAYLOAD_KEY("OverridePreviousPassword", BOOLEAN, .preset = "false", .since = "i14.0"),
    MDM_PAYLOAD_KEY("VPNUUID", STRING, .since = "i14.0"),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t ews[] = {
    MDM_PAYLOAD_KEY("EmailAddress", STRING),
    MDM_PAYLOAD_KEY("Host", STRING),
    MDM_PAYLOAD_KEY("SSL", BOOLEAN, .preset = "true"),
    MDM_PAYLOAD_KEY("OAuth", BOOLEAN, .preset = "false", .since = "m10.14"),
    MDM_PAYLOAD_KEY("OAuthSignInURL", STRING, .since = "m10.14"),
    MDM_PAYLOAD_KEY("UserName", STRING),
    MDM_PAYLOAD_KEY("Password", STRING, .secret = 1),
    MDM_PAYLOAD_KEY("PayloadCertificateUUID", STRING, .since = "m10.12"),
    MDM_PAYLOAD_KEY("AuthenticationCertificateUUID", STRING, .since = "m10.11"),
    MDM_PAYLOAD_KEY("allowMailDrop", BOOLEAN, .preset = "false", .since = "m10.12"),
    MDM_PAYLOAD_KEY("Path", STRING),
    MDM_PAYLOAD_KEY("Port", INTEGER),
    MDM_PAYLOAD_KEY("ExternalHost", STRING),
    MDM_PAYLOAD_KEY("ExternalSSL", BOOLEAN, .preset = "true"),
    MDM_PAYLOAD_KEY("ExternalPath", STRING),
    MDM_PAYLOAD_KEY("ExternalPort", INTEGER),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t google_oauth[] = {
    MDM_PAYLOAD_KEY("AccountDescription", STRING),
    MDM_PAYLOAD_KEY("AccountName", STRING),
    MDM_PAYLOAD_KEY("EmailAddress", STRING, .required = 1),
    MDM_PAYLOAD_KEY("CommunicationServiceRules", DICT, .since = "i10.0",
                    .keys = carddav_communication_service_rules),
    MDM_PAYLOAD_KEY("VPNUUID", STRING, .since = "i14.0"),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t jabber[] = {
    MDM_PAYLOAD_KEY("JabberAccountDescription", STRING),
    MDM_PAYLOAD_KEY("JabberHostName", STRING, .required = 1),
    MDM_PAYLOAD_KEY("JabberUserName", STRING),
    MDM_PAYLOAD_KEY("JabberPassword", STRING, .secret = 1),
    MDM_PAYLOAD_KEY("JabberUseSSL", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("JabberPort", INTEGER, .range = "0 65535", .preset = "5222"),
    MDM_PAYLOAD_KEY("JabberAuthentication", STRING, .required = 1, .values = "JabberAuthPassword"),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t ldap_search_setting[] = {
    MDM_PAYLOAD_KEY("LDAPSearchSettingDescription", STRING),
    MDM_PAYLOAD_KEY("LDAPSearchSettingSearchBase", STRING, .required = 1),
    MDM_PAYLOAD_KEY("LDAPSearchSettingScope", STRING,
                    .values = "LDAPSearchSettingScopeBase|LDAPSearchSettingScopeOneLevel|"
                        "LDAPSearchSettingScopeSubtree", .preset = "LDAPSearchSettingScopeSubtree"),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t ldap_search_settings[] = {
    MDM_PAYLOAD_KEY("item", DICT, .keys = ldap_search_setting),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t ldap[] = {
    MDM_PAYLOAD_KEY("LDAPAccountDescription", STRING),
    MDM_PAYLOAD_KEY("LDAPAccountHostName", STRING, .required = 1),
    MDM_PAYLOAD_KEY("LDAPAccountUserName", STRING),
    MDM_PAYLOAD_KEY("LDAPAccountPassword", STRING, .secret = 1),
    MDM_PAYLOAD_KEY("LDAPAccountUseSSL", BOOLEAN, .preset = "true"),
    MDM_PAYLOAD_KEY("LDAPSearchSettings", ARRAY, .keys = ldap_search_settings),
    MDM_PAYLOAD_KEY("VPNUUID", STRING, .since = "i14.0 m-"),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t mail[] = {
    MDM_PAYLOAD_KEY("EmailAccountDescription", STRING),
    MDM_PAYLOAD_KEY("EmailAccountName", STRING),
    MDM_PAYLOAD_KEY("EmailAccountType", STRING, .required = 1, .values = "EmailTypeIMAP|EmailTypePOP"),
    MDM_PAYLOAD_KEY("EmailAddress", STRING),
    MDM_PAYLOAD_KEY("IncomingMailServerAuthentication", STRING, .required = 1,
                    .values = "EmailAuthNone|EmailAuthPassword|EmailAuthCRAMMD5|EmailAuthNTLM|"
                        "EmailAuthHTTPMD5"),
    MDM_PAYLOAD_KEY("IncomingMailServerHostName", STRING, .required = 1),
    MDM_PAYLOAD_KEY("IncomingMailServerPortNumber", INTEGER),
    MDM_PAYLOAD_KEY("IncomingMailServerUseSSL", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("IncomingMailServerUsername", STRING),
    MDM_PAYLOAD_KEY("IncomingPassword", STRING, .secret = 1),
    MDM_PAYLOAD_KEY("OutgoingPassword", STRING, .secret = 1),
    MDM_PAYLOAD_KEY("OutgoingPasswordSameAsIncomingPassword", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("OutgoingMailServerAuthentication", STRING, .required = 1,
                    .values = "EmailAuthNone|EmailAuthPassword|EmailAuthCRAMMD5|EmailAuthNTLM|"
                        "EmailAuthHTTPMD5"),
    MDM_PAYLOAD_KEY("OutgoingMailServerHostName", STRING, .required = 1),
    MDM_PAYLOAD_KEY("OutgoingMailServerPortNumber", INTEGER),
    MDM_PAYLOAD_KEY("OutgoingMailServerUseSSL", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("OutgoingMailServerUsername", STRING),
    MDM_PAYLOAD_KEY("PreventMove", BOOLEAN, .preset = "false", .since = "i5.0 m-"),
    MDM_PAYLOAD_KEY("PreventAppSheet", BOOLEAN, .preset = "false", .since = "i5.0 m-"),
    MDM_PAYLOAD_KEY("SMIMEEnabled", BOOLEAN, .preset = "false", .since = "i5.0 m-"),
    MDM_PAYLOAD_KEY("SMIMESigningEnabled", BOOLEAN, .preset = "false", .since = "i10.0 m-"),
    MDM_PAYLOAD_KEY("SMIMESigningCertificateUUID", STRING, .since = "i5.0 m-"),
    MDM_PAYLOAD_KEY("SMIMEEncryptionEnabled", BOOLEAN, .preset = "false", .since = "i10.0 m-"),
    MDM_PAYLOAD_KEY("SMIMEEncryptionCertificateUUID", STRING, .since = "i5.0 m-"),
    MDM_PAYLOAD_KEY("SMIMEEnablePerMessageSwitch", BOOLEAN, .preset = "false", .since = "i8.0 m- v-",
                    .deprecated = "i10.0"),
    MDM_PAYLOAD_KEY("disableMailRecentsSyncing", BOOLEAN, .preset = "false", .since = "i6.0"),
    MDM_PAYLOAD_KEY("allowMailDrop", BOOLEAN, .preset = "false", .since = "i9.2 m10.12"),
    MDM_PAYLOAD_KEY("IncomingMailServerIMAPPathPrefix", STRING),
    MDM_PAYLOAD_KEY("SMIMESigningUserOverrideable", BOOLEAN, .preset = "false", .since = "i12.0 m-"),
    MDM_PAYLOAD_KEY("SMIMESigningCertificateUUIDUserOverrideable", BOOLEAN, .preset = "false",
                    .since = "i12.0 m-"),
    MDM_PAYLOAD_KEY("SMIMEEncryptByDefault", BOOLEAN, .preset = "false", .since = "i12.0 m-"),
    MDM_PAYLOAD_KEY("SMIMEEncryptByDefaultUserOverrideable", BOOLEAN, .preset = "false", .since = "i12.0 m-"),
    MDM_PAYLOAD_KEY("SMIMEEncryptionCertificateUUIDUserOverrideable", BOOLEAN, .preset = "false",
                    .since = "i12.0 m-"),
    MDM_PAYLOAD_KEY("SMIMEEnableEncryptionPerMessageSwitch", BOOLEAN, .preset = "false", .since = "i12.0 m-"),
    MDM_PAYLOAD_KEY("VPNUUID", STRING, .since = "i14.0 m-"),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t osxserver_configured_account[] = {
    MDM_PAYLOAD_KEY("Type", STRING, .required = 1, .values = "com.apple.osxserver.documents"),
    MDM_PAYLOAD_KEY("Port", INTEGER),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t osxserver_configured_accounts[] = {
    MDM_PAYLOAD_KEY("item", DICT, .keys = osxserver_configured_account),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t osxserver[] = {
    MDM_PAYLOAD_KEY("HostName", STRING, .required = 1),
    MDM_PAYLOAD_KEY("UserName", STRING, .required = 1),
    MDM_PAYLOAD_KEY("Password", STRING, .secret = 1),
    MDM_PAYLOAD_KEY("AccountDescription", STRING),
    MDM_PAYLOAD_KEY("ConfiguredAccounts", ARRAY, .required = 1, .keys = osxserver_configured_accounts),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t subscribed[] = {
    MDM_PAYLOAD_KEY("SubCalAccountDescription", STRING),
    MDM_PAYLOAD_KEY("SubCalAccountHostName", STRING, .required = 1),
    MDM_PAYLOAD_KEY("SubCalAccountUsername", STRING),
    MDM_PAYLOAD_KEY("SubCalAccountPassword", STRING, .secret = 1),
    MDM_PAYLOAD_KEY("SubCalAccountUseSSL", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("VPNUUID", STRING, .since = "i14.0"),
    MDM_PAYLOAD_KEYS_END
};

const mdm_payload_type_t mdm_payloads_accounts[] = {
    MDM_PAYLOAD_TYPE("com.apple.AIM.account", "AIM Account", aim, .since = "m10.7", .deprecated = "m10.13",
                    .removed = "m10.14", .mac = "U"),
    MDM_PAYLOAD_TYPE("com.apple.DirectoryService.managed", "Directory Service", directory, .since = "m10.8",
                    .user_enrollment = "m", .mac = "D"),
    MDM_PAYLOAD_TYPE("com.apple.caldav.account", "CalDAV", caldav, .since = "i4.0 m10.7 v1.1",
                    .user_enrollment = "imv", .mac = "U", .shared_ipad = "U"),
    MDM_PAYLOAD_TYPE("com.apple.carddav.account", "CardDAV", carddav, .since = "i4.0 m10.7 v1.1",
                    .user_enrollment = "imv", .mac = "U", .shared_ipad = "U"),
    MDM_PAYLOAD_TYPE("com.apple.eas.account", "Exchange ActiveSync", exchange, .since = "i4.0 v1.1",
                    .user_enrollment = "iv", .shared_ipad = "U"),
    MDM_PAYLOAD_TYPE("com.apple.ews.account", "Exchange Web Services", ews, .since = "m10.7",
                    .user_enrollment = "m", .mac = "U"),
    MDM_PAYLOAD_TYPE("com.apple.google-oauth", "Google Account", google_oauth, .since = "i9.3 v1.1",
                    .user_enrollment = "iv", .shared_ipad = "U"),
    MDM_PAYLOAD_TYPE("com.apple.jabber.account", "Jabber Account", jabber, .since = "m10.7",
                    .deprecated = "m10.14", .removed = "m10.14", .mac = "U"),
    MDM_PAYLOAD_TYPE("com.apple.ldap.account", "LDAP", ldap, .since = "i4.0 m10.7 v1.1",
                    .user_enrollment = "imv", .mac = "U", .shared_ipad = "U"),
    MDM_PAYLOAD_TYPE("com.apple.mail.managed", "Mail", mail, .since = "i4.0 m10.7 v1.1",
                    .user_enrollment = "imv", .mac = "U", .shared_ipad = "U"),
    MDM_PAYLOAD_TYPE("com.apple.osxserver.account", "macOS Server Account", osxserver, .since = "i9.0",
                    .deprecated = "i12.0", .removed = "i12.0"),
    MDM_PAYLOAD_TYPE("com.apple.subscribedcalendar.account", "Subscribed Calendars", subscribed,
                    .since = "i4.0 v1.1", .user_enrollment = "iv", .shared_ipad = "U"),
    MDM_PAYLOAD_TYPES_END
};
