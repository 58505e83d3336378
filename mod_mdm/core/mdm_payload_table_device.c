/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Apple's payload types, part of the table: home screen, notifications, apps, classrooms, management itself.
 * Data only; looked up through mdm_payload_table.c, in any thread; mdm_payload_table.h says what the members mean.
 */
#include "mdm_payload_table.h"

static const mdm_payload_key_t texts[] = {
    MDM_PAYLOAD_KEY("item", STRING),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t setup_assistant[] = {
    MDM_PAYLOAD_KEY("SkipCloudSetup", BOOLEAN, .preset = "false", .since = "i-", .deprecated = "m15.0"),
    MDM_PAYLOAD_KEY("SkipSiriSetup", BOOLEAN, .preset = "false", .since = "i-", .deprecated = "m15.0"),
    MDM_PAYLOAD_KEY("SkipPrivacySetup", BOOLEAN, .preset = "false", .since = "i- m10.13.4",
                    .deprecated = "m15.0"),
    MDM_PAYLOAD_KEY("SkipiCloudStorageSetup", BOOLEAN, .preset = "false", .since = "i- m10.13.4",
                    .deprecated = "m15.0"),
    MDM_PAYLOAD_KEY("SkipTrueTone", BOOLEAN, .preset = "false", .since = "i- m10.13.6",
                    .deprecated = "m15.0"),
    MDM_PAYLOAD_KEY("SkipAppearance", BOOLEAN, .preset = "false", .since = "i- m10.14",
                    .deprecated = "m15.0"),
    MDM_PAYLOAD_KEY("SkipTouchIDSetup", BOOLEAN, .preset = "false", .since = "i- m10.15",
                    .deprecated = "m15.0"),
    MDM_PAYLOAD_KEY("SkipScreenTime", BOOLEAN, .preset = "false", .since = "i- m10.15",
                    .deprecated = "m15.0"),
    MDM_PAYLOAD_KEY("SkipAccessibility", BOOLEAN, .preset = "false", .since = "i- m11.0",
                    .deprecated = "m15.0"),
    MDM_PAYLOAD_KEY("SkipSetupItems", ARRAY, .since = "i14.0 m15.0", .keys = texts),
    MDM_PAYLOAD_KEY("SkipUnlockWithWatch", BOOLEAN, .preset = "false", .since = "i- m12.0",
                    .deprecated = "m15.0"),
    MDM_PAYLOAD_KEY("SkipWallpaper", BOOLEAN, .preset = "false", .since = "i- m14.1", .deprecated = "m15.0"),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t app_lock_options[] = {
    MDM_PAYLOAD_KEY("DisableTouch", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("DisableDeviceRotation", BOOLEAN, .preset = "false", .since = "t-"),
    MDM_PAYLOAD_KEY("DisableVolumeButtons", BOOLEAN, .preset = "false", .since = "t-"),
    MDM_PAYLOAD_KEY("DisableRingerSwitch", BOOLEAN, .preset = "false", .since = "t-"),
    MDM_PAYLOAD_KEY("DisableSleepWakeButton", BOOLEAN, .preset = "false", .since = "t-"),
    MDM_PAYLOAD_KEY("DisableAutoLock", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("EnableVoiceOver", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("EnableZoom", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("EnableInvertColors", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("EnableAssistiveTouch", BOOLEAN, .preset = "false", .since = "t-"),
    MDM_PAYLOAD_KEY("EnableSpeakSelection", BOOLEAN, .preset = "false", .since = "t-"),
    MDM_PAYLOAD_KEY("EnableMonoAudio", BOOLEAN, .preset = "false", .since = "t-"),
    MDM_PAYLOAD_KEY("EnableVoiceControl", BOOLEAN, .preset = "false", .since = "i13.0 t-"),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t app_lock_user_enabled_options[] = {
    MDM_PAYLOAD_KEY("VoiceControl", BOOLEAN, .preset = "false", .since = "i13.0 t-"),
    MDM_PAYLOAD_KEY("VoiceOver", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("Zoom", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("InvertColors", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("AssistiveTouch", BOOLEAN, .preset = "false", .since = "t-"),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t app_lock_app[] = {
    MDM_PAYLOAD_KEY("Identifier", STRING, .required = 1),
    MDM_PAYLOAD_KEY("Options", DICT, .since = "i7.0", .keys = app_lock_options),
    MDM_PAYLOAD_KEY("UserEnabledOptions", DICT, .since = "i7.0", .keys = app_lock_user_enabled_options),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t app_lock[] = {
    MDM_PAYLOAD_KEY("App", DICT, .required = 1, .keys = app_lock_app),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t asam_allowed_application[] = {
    MDM_PAYLOAD_KEY("BundleIdentifier", STRING, .required = 1, .since = "m10.13.4"),
    MDM_PAYLOAD_KEY("TeamIdentifier", STRING, .required = 1, .since = "m10.13.4"),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t asam_allowed_applications[] = {
    MDM_PAYLOAD_KEY("item", DICT, .keys = asam_allowed_application),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t asam[] = {
    MDM_PAYLOAD_KEY("AllowedApplications", ARRAY, .required = 1, .since = "m10.13.4",
                    .keys = asam_allowed_applications),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t conferenceroomdisplay[] = {
    MDM_PAYLOAD_KEY("Message", STRING),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t identification_payload_identification[] = {
    MDM_PAYLOAD_KEY("UserName", STRING, .required = 1),
    MDM_PAYLOAD_KEY("FullName", STRING, .required = 1),
    MDM_PAYLOAD_KEY("EmailAddress", STRING, .required = 1),
    MDM_PAYLOAD_KEY("AuthMethod", STRING, .required = 1, .values = "Password|UserEnteredPassword"),
    MDM_PAYLOAD_KEY("Password", STRING, .required = 1, .secret = 1),
    MDM_PAYLOAD_KEY("Prompt", STRING),
    MDM_PAYLOAD_KEY("PromptMessage", STRING),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t identification[] = {
    MDM_PAYLOAD_KEY("PayloadIdentification", DICT, .required = 1,
                    .keys = identification_payload_identification),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t declarations_declarations[] = {
    MDM_PAYLOAD_KEY("item", DATA),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t declarations[] = {
    MDM_PAYLOAD_KEY("Declarations", ARRAY, .required = 1, .keys = declarations_declarations),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t integers[] = {
    MDM_PAYLOAD_KEY("item", INTEGER),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t education_department[] = {
    MDM_PAYLOAD_KEY("Name", STRING, .required = 1),
    MDM_PAYLOAD_KEY("GroupBeaconIDs", ARRAY, .required = 1, .keys = integers),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t education_departments[] = {
    MDM_PAYLOAD_KEY("item", DICT, .keys = education_department),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t education_group[] = {
    MDM_PAYLOAD_KEY("BeaconID", INTEGER, .required = 1),
    MDM_PAYLOAD_KEY("Name", STRING, .required = 1),
    MDM_PAYLOAD_KEY("Description", STRING),
    MDM_PAYLOAD_KEY("ImageURL", STRING, .since = "m-", .deprecated = "i9.3.1"),
    MDM_PAYLOAD_KEY("ConfigurationSource", STRING),
    MDM_PAYLOAD_KEY("LeaderIdentifiers", ARRAY, .keys = texts),
    MDM_PAYLOAD_KEY("MemberIdentifiers", ARRAY, .required = 1, .keys = texts),
    MDM_PAYLOAD_KEY("DeviceGroupIdentifiers", ARRAY, .keys = texts),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t education_groups[] = {
    MDM_PAYLOAD_KEY("item", DICT, .keys = education_group),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t education_user[] = {
    MDM_PAYLOAD_KEY("Identifier", STRING, .required = 1),
    MDM_PAYLOAD_KEY("Name", STRING, .required = 1),
    MDM_PAYLOAD_KEY("GivenName", STRING),
    MDM_PAYLOAD_KEY("FamilyName", STRING),
    MDM_PAYLOAD_KEY("PhoneticGivenName", STRING),
    MDM_PAYLOAD_KEY("PhoneticFamilyName", STRING),
    MDM_PAYLOAD_KEY("ImageURL", STRING),
    MDM_PAYLOAD_KEY("FullScreenImageURL", STRING, .since = "m-", .deprecated = "i9.3.1"),
    MDM_PAYLOAD_KEY("AppleID", STRING),
    MDM_PAYLOAD_KEY("PasscodeType", STRING, .values = "complex|four|six"),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t education_users[] = {
    MDM_PAYLOAD_KEY("item", DICT, .keys = education_user),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t education_device_group[] = {
    MDM_PAYLOAD_KEY("Identifier", STRING, .required = 1),
    MDM_PAYLOAD_KEY("Name", STRING, .required = 1),
    MDM_PAYLOAD_KEY("SerialNumbers", ARRAY, .required = 1, .keys = texts),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t education_device_groups[] = {
    MDM_PAYLOAD_KEY("item", DICT, .keys = education_device_group),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t education[] = {
    MDM_PAYLOAD_KEY("OrganizationUUID", STRING, .required = 1),
    MDM_PAYLOAD_KEY("OrganizationName", STRING, .required = 1),
    MDM_PAYLOAD_KEY("PayloadCertificateUUID", STRING),
    MDM_PAYLOAD_KEY("LeaderPayloadCertificateAnchorUUID", ARRAY, .keys = texts),
    MDM_PAYLOAD_KEY("MemberPayloadCertificateAnchorUUID", ARRAY, .keys = texts),
    MDM_PAYLOAD_KEY("ResourcePayloadCertificateUUID", STRING),
    MDM_PAYLOAD_KEY("UserIdentifier", STRING, .required = 1),
    MDM_PAYLOAD_KEY("Departments", ARRAY, .keys = education_departments),
    MDM_PAYLOAD_KEY("Groups", ARRAY, .required = 1, .keys = education_groups),
    MDM_PAYLOAD_KEY("Users", ARRAY, .required = 1, .keys = education_users),
    MDM_PAYLOAD_KEY("DeviceGroups", ARRAY, .keys = education_device_groups),
    MDM_PAYLOAD_KEY("ScreenObservationPermissionModificationAllowed", BOOLEAN, .preset = "false",
                    .since = "i10.3"),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t font[] = {
    MDM_PAYLOAD_KEY("Name", STRING),
    MDM_PAYLOAD_KEY("Font", DATA, .required = 1),
    MDM_PAYLOAD_KEYS_END
};

/* A folder has pages of icons again. Apple's schema says App where devices want Application. */
static const mdm_payload_key_t home_screen_icon[6];

static const mdm_payload_key_t home_screen_page[] = {
    MDM_PAYLOAD_KEY("item", DICT, .keys = home_screen_icon),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t home_screen_pages[] = {
    MDM_PAYLOAD_KEY("item", ARRAY, .keys = home_screen_page),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t home_screen_icon[6] = {
    MDM_PAYLOAD_KEY("Type", STRING, .required = 1, .values = "Application|App|Folder|WebClip"),
    MDM_PAYLOAD_KEY("DisplayName", STRING),
    MDM_PAYLOAD_KEY("BundleID", STRING),
    MDM_PAYLOAD_KEY("Pages", ARRAY, .keys = home_screen_pages),
    MDM_PAYLOAD_KEY("URL", STRING, .since = "i11.3"),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t home_screen[] = {
    MDM_PAYLOAD_KEY("Dock", ARRAY, .keys = home_screen_page),
    MDM_PAYLOAD_KEY("Pages", ARRAY, .required = 1, .keys = home_screen_pages),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t lom[] = {
    MDM_PAYLOAD_KEY("DeviceCertificateUUID", STRING),
    MDM_PAYLOAD_KEY("ControllerCertificateUUID", STRING),
    MDM_PAYLOAD_KEY("DeviceCACertificateUUIDs", ARRAY, .keys = texts),
    MDM_PAYLOAD_KEY("ControllerCACertificateUUIDs", ARRAY, .keys = texts),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t mdm_server_capabilities[] = {
    MDM_PAYLOAD_KEY("item", STRING,
                    .values = "com.apple.mdm.per-user-connections|com.apple.mdm.bootstraptoken|"
                        "com.apple.mdm.token"),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t mdm[] = {
    MDM_PAYLOAD_KEY("IdentityCertificateUUID", STRING, .required = 1),
    MDM_PAYLOAD_KEY("Topic", STRING, .required = 1),
    MDM_PAYLOAD_KEY("ServerURL", STRING, .required = 1),
    MDM_PAYLOAD_KEY("CheckInURL", STRING),
    MDM_PAYLOAD_KEY("SignMessage", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("AccessRights", INTEGER),
    MDM_PAYLOAD_KEY("UseDevelopmentAPNS", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("ManagedAppleID", STRING, .since = "i13.1 m10.15 t- v- w-", .deprecated = "i17.0 m14.0",
                    .removed = "i18.0 m15.0"),
    MDM_PAYLOAD_KEY("AssignedManagedAppleID", STRING, .since = "i15.0 m14.0 t- w-"),
    MDM_PAYLOAD_KEY("EnrollmentMode", STRING, .values = "BYOD|ADDE", .since = "i15.0 m14.0 t- w-"),
    MDM_PAYLOAD_KEY("ServerURLPinningCertificateUUIDs", ARRAY, .since = "i13.4 m10.13 t13.4", .keys = texts),
    MDM_PAYLOAD_KEY("CheckInURLPinningCertificateUUIDs", ARRAY, .since = "i13.4 m10.13 t13.4", .keys = texts),
    MDM_PAYLOAD_KEY("PinningRevocationCheckRequired", BOOLEAN, .preset = "false",
                    .since = "i13.4 m10.13 t13.4"),
    MDM_PAYLOAD_KEY("ServerCapabilities", ARRAY, .keys = mdm_server_capabilities),
    MDM_PAYLOAD_KEY("CheckOutWhenRemoved", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("RequiredAppIDForMDM", INTEGER, .since = "i15.1 m- t- w-"),
    MDM_PAYLOAD_KEY("PromptUserToAllowBootstrapTokenForAuthentication", BOOLEAN, .preset = "false",
                    .since = "i- m11.0 t- v- w-"),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t notifications_notification_setting[] = {
    MDM_PAYLOAD_KEY("BundleIdentifier", STRING, .required = 1),
    MDM_PAYLOAD_KEY("NotificationsEnabled", BOOLEAN, .preset = "true"),
    MDM_PAYLOAD_KEY("ShowInNotificationCenter", BOOLEAN, .preset = "true"),
    MDM_PAYLOAD_KEY("ShowInLockScreen", BOOLEAN, .preset = "true"),
    MDM_PAYLOAD_KEY("AlertType", INTEGER, .values = "0|1|2", .preset = "1"),
    MDM_PAYLOAD_KEY("BadgesEnabled", BOOLEAN, .preset = "true"),
    MDM_PAYLOAD_KEY("SoundsEnabled", BOOLEAN, .preset = "true"),
    MDM_PAYLOAD_KEY("ShowInCarPlay", BOOLEAN, .preset = "true", .since = "i12.0 m-"),
    MDM_PAYLOAD_KEY("CriticalAlertEnabled", BOOLEAN, .preset = "false", .since = "i12.0"),
    MDM_PAYLOAD_KEY("GroupingType", INTEGER, .values = "0|1|2", .preset = "0", .since = "i12.0 m-"),
    MDM_PAYLOAD_KEY("PreviewType", INTEGER, .values = "0|1|2", .since = "i14.0 m-"),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t notifications_notification_settings[] = {
    MDM_PAYLOAD_KEY("item", DICT, .keys = notifications_notification_setting),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t notifications[] = {
    MDM_PAYLOAD_KEY("NotificationSettings", ARRAY, .required = 1,
                    .keys = notifications_notification_settings),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t shared_device[] = {
    MDM_PAYLOAD_KEY("AssetTagInformation", STRING),
    MDM_PAYLOAD_KEY("IfLostReturnToMessage", STRING, .since = "i9.3", .deprecated = "i9.3.1"),
    MDM_PAYLOAD_KEY("LockScreenFootnote", STRING, .since = "i9.3.1"),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t web_clip[] = {
    MDM_PAYLOAD_KEY("Precomposed", BOOLEAN, .preset = "false", .since = "m-"),
    MDM_PAYLOAD_KEY("FullScreen", BOOLEAN, .preset = "false", .since = "m-"),
    MDM_PAYLOAD_KEY("URL", STRING, .required = 1),
    MDM_PAYLOAD_KEY("Icon", DATA),
    MDM_PAYLOAD_KEY("IsRemovable", BOOLEAN, .preset = "true", .since = "m-"),
    MDM_PAYLOAD_KEY("Label", STRING, .required = 1),
    MDM_PAYLOAD_KEY("IgnoreManifestScope", BOOLEAN, .preset = "false", .since = "i14.0 m-"),
    MDM_PAYLOAD_KEY("TargetApplicationBundleIdentifier", STRING, .since = "i14.0 m-"),
    MDM_PAYLOAD_KEYS_END
};

const mdm_payload_type_t mdm_payloads_device[] = {
    MDM_PAYLOAD_TYPE("com.apple.SetupAssistant.managed", "Setup Assistant", setup_assistant,
                    .since = "i14.0 m10.12", .supervised = "i", .single = "im", .mac = "DU",
                    .shared_ipad = "D"),
    MDM_PAYLOAD_TYPE("com.apple.app.lock", "App Lock", app_lock, .since = "i6.0 t10.2", .supervised = "it",
                    .single = "it", .shared_ipad = "D"),
    MDM_PAYLOAD_TYPE("com.apple.asam", "Autonomous Single App Mode", asam, .since = "m10.13.4", .single = "m",
                    .mac = "D"),
    MDM_PAYLOAD_TYPE("com.apple.conferenceroomdisplay", "Conference Room Display", conferenceroomdisplay,
                    .since = "t10.2", .supervised = "t", .single = "t"),
    MDM_PAYLOAD_TYPE("com.apple.configurationprofile.identification", "Identification", identification,
                    .since = "m10.7", .user_enrollment = "m", .single = "m", .mac = "DU"),
    MDM_PAYLOAD_TYPE("com.apple.declarations", "Declarations", declarations,
                    .since = "i17.0 m14.0 t17.0 v1.0 w10.0", .mac = "DU"),
    MDM_PAYLOAD_TYPE("com.apple.education", "Education Configuration", education, .since = "i9.3 m10.14",
                    .user_enrollment = "im", .single = "im", .mac = "U", .shared_ipad = "D"),
    MDM_PAYLOAD_TYPE("com.apple.font", "Font", font, .since = "i7.0 m10.9 v2.0", .user_enrollment = "imv",
                    .mac = "DU", .shared_ipad = "U"),
    MDM_PAYLOAD_TYPE("com.apple.homescreenlayout", "Home Screen Layout", home_screen, .since = "i9.3 t11.0",
                    .supervised = "it", .single = "it", .shared_ipad = "DU"),
    MDM_PAYLOAD_TYPE("com.apple.lom", "Lights Out Management (LOM)", lom, .since = "m11.0", .single = "m",
                    .mac = "D"),
    MDM_PAYLOAD_TYPE("com.apple.mdm", "MDM", mdm, .since = "i4.0 m10.7 t9.0 v1.1 w10.0", .supervised = "w",
                    .user_enrollment = "imv", .single = "imtvw", .mac = "D", .shared_ipad = "D"),
    MDM_PAYLOAD_TYPE("com.apple.notificationsettings", "Notifications", notifications, .since = "i9.3 m10.15",
                    .supervised = "i", .single = "i", .mac = "DU", .shared_ipad = "DU"),
    MDM_PAYLOAD_TYPE("com.apple.shareddeviceconfiguration", "Lock Screen Message", shared_device,
                    .since = "i9.3", .supervised = "i", .single = "i", .shared_ipad = "D"),
    MDM_PAYLOAD_TYPE("com.apple.webClip.managed", "Web Clip", web_clip, .since = "i4.0 m10.7",
                    .user_enrollment = "im", .mac = "U", .shared_ipad = "U"),
    MDM_PAYLOAD_TYPES_END
};
