/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Apple's payload types, part of the table: macOS: preferences of the desktop and its apps.
 * Data only; looked up through mdm_payload_table.c, in any thread; mdm_payload_table.h says what the members mean.
 */
#include "mdm_payload_table.h"

static const mdm_payload_key_t dictionary[] = {
    MDM_PAYLOAD_KEY("parentalControl", BOOLEAN, .required = 1),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t disc_recording[] = {
    MDM_PAYLOAD_KEY("BurnSupport", STRING, .required = 1, .values = "off|authenticate|on"),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t appstore[] = {
    MDM_PAYLOAD_KEY("restrict-store-require-admin-to-install", BOOLEAN, .preset = "false", .since = "m10.9",
                    .deprecated = "m10.14"),
    MDM_PAYLOAD_KEY("restrict-store-softwareupdate-only", BOOLEAN, .preset = "false", .since = "m10.10"),
    MDM_PAYLOAD_KEY("restrict-store-disable-app-adoption", BOOLEAN, .preset = "false", .since = "m10.10"),
    MDM_PAYLOAD_KEY("DisableSoftwareUpdateNotifications", BOOLEAN, .preset = "false", .since = "m10.10"),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t dashboard_white_list_item[] = {
    MDM_PAYLOAD_KEY("Type", STRING, .required = 1),
    MDM_PAYLOAD_KEY("ID", STRING, .required = 1),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t dashboard_white_list[] = {
    MDM_PAYLOAD_KEY("item", DICT, .keys = dashboard_white_list_item),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t dashboard[] = {
    MDM_PAYLOAD_KEY("whiteListEnabled", BOOLEAN, .required = 1),
    MDM_PAYLOAD_KEY("WhiteList", ARRAY, .required = 1, .keys = dashboard_white_list),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t desktop[] = {
    MDM_PAYLOAD_KEY("locked", BOOLEAN, .preset = "false", .deprecated = "m10.13"),
    MDM_PAYLOAD_KEY("override-picture-path", STRING),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t dock_mcx_dock_special_folders[] = {
    MDM_PAYLOAD_KEY("item", STRING,
                    .values = "AddDockMCXMyApplicationsFolder|AddDockMCXDocumentsFolder|"
                        "AddDockMCXSharedFolder|AddDockMCXOriginalNetworkHomeFolder"),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t dock_tile_data[] = {
    MDM_PAYLOAD_KEY("label", STRING, .required = 1),
    MDM_PAYLOAD_KEY("url", STRING),
    MDM_PAYLOAD_KEY("file-type", INTEGER, .required = 1, .values = "0|1|3"),
    MDM_PAYLOAD_KEY("file-data", DICT),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t dock_static_other[] = {
    MDM_PAYLOAD_KEY("tile-data", DICT, .required = 1, .keys = dock_tile_data),
    MDM_PAYLOAD_KEY("tile-type", STRING, .required = 1, .values = "file-tile|directory-tile|url-tile"),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t dock_static_others[] = {
    MDM_PAYLOAD_KEY("item", DICT, .keys = dock_static_other),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t dock[] = {
    MDM_PAYLOAD_KEY("tilesize", INTEGER, .range = "16 128"),
    MDM_PAYLOAD_KEY("size-immutable", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("magnification", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("magnify-immutable", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("largesize", INTEGER, .range = "16 128"),
    MDM_PAYLOAD_KEY("magsize-immutable", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("orientation", STRING, .values = "bottom|left|right"),
    MDM_PAYLOAD_KEY("position-immutable", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("mineffect", STRING, .values = "genie|scale"),
    MDM_PAYLOAD_KEY("mineffect-immutable", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("windowtabbing", STRING, .values = "manual|always|fullscreen", .since = "m10.15"),
    MDM_PAYLOAD_KEY("windowtabbing-immutable", BOOLEAN, .preset = "false", .since = "m10.12"),
    MDM_PAYLOAD_KEY("dblclickbehavior", STRING, .values = "minimize|maximize|none", .since = "m10.15"),
    MDM_PAYLOAD_KEY("dblclickbehavior-immutable", BOOLEAN, .preset = "false", .since = "m10.14"),
    MDM_PAYLOAD_KEY("minimize-to-application", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("minintoapp-immutable", BOOLEAN, .preset = "false", .since = "m10.14"),
    MDM_PAYLOAD_KEY("launchanim", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("launchanim-immutable", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("autohide", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("autohide-immutable", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("show-process-indicators", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("showindicators-immutable", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("show-recents", BOOLEAN, .preset = "false", .since = "m10.14"),
    MDM_PAYLOAD_KEY("showrecents-immutable", BOOLEAN, .preset = "false", .since = "m10.15"),
    MDM_PAYLOAD_KEY("contents-immutable", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("MCXDockSpecialFolders", ARRAY, .keys = dock_mcx_dock_special_folders),
    MDM_PAYLOAD_KEY("AllowDockFixupOverride", BOOLEAN, .preset = "false", .since = "m10.12"),
    MDM_PAYLOAD_KEY("static-only", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("static-others", ARRAY, .keys = dock_static_others),
    MDM_PAYLOAD_KEY("static-apps", ARRAY, .keys = dock_static_others),
    MDM_PAYLOAD_KEY("persistent-apps", ARRAY, .keys = dock_static_others),
    MDM_PAYLOAD_KEY("persistent-others", ARRAY, .keys = dock_static_others),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t texts[] = {
    MDM_PAYLOAD_KEY("item", STRING),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t fileproviderd[] = {
    MDM_PAYLOAD_KEY("AllowManagedFileProvidersToRequestAttribution", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("ManagementAllowsExternalVolumeSyncing", BOOLEAN, .preset = "true", .since = "m26.4"),
    MDM_PAYLOAD_KEY("ManagementAllowsKnownFolderSyncing", BOOLEAN, .preset = "true", .since = "m15.2"),
    MDM_PAYLOAD_KEY("ManagementAllowsRemoteSyncing", BOOLEAN, .preset = "true", .since = "m26.4"),
    MDM_PAYLOAD_KEY("ManagementDomainAutoEnablementList", ARRAY, .since = "m26.4", .keys = texts),
    MDM_PAYLOAD_KEY("ManagementExternalVolumeSyncingAllowList", ARRAY, .since = "m26.4", .keys = texts),
    MDM_PAYLOAD_KEY("ManagementKnownFolderSyncingAllowList", ARRAY, .since = "m15.2", .keys = texts),
    MDM_PAYLOAD_KEY("ManagementRemoteSyncingAllowList", ARRAY, .since = "m26.4", .keys = texts),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t finder[] = {
    MDM_PAYLOAD_KEY("ProhibitBurn", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("InterfaceLevel", STRING, .values = "Simple|Full", .removed = "m10.15"),
    MDM_PAYLOAD_KEY("ProhibitConnectTo", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("ProhibitEject", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("ProhibitGoToFolder", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("ShowExternalHardDrivesOnDesktop", BOOLEAN, .preset = "true"),
    MDM_PAYLOAD_KEY("ShowHardDrivesOnDesktop", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("ShowMountedServersOnDesktop", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("ShowRemovableMediaOnDesktop", BOOLEAN, .preset = "true"),
    MDM_PAYLOAD_KEY("WarnOnEmptyTrash", BOOLEAN, .preset = "true"),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t gamed[] = {
    MDM_PAYLOAD_KEY("GKFeatureGameCenterAllowed", BOOLEAN, .preset = "true", .deprecated = "m10.13"),
    MDM_PAYLOAD_KEY("GKFeatureAccountModificationAllowed", BOOLEAN, .preset = "true"),
    MDM_PAYLOAD_KEY("GKFeatureAddingGameCenterFriendsAllowed", BOOLEAN, .preset = "true",
                    .deprecated = "m10.13"),
    MDM_PAYLOAD_KEY("GKFeatureMultiplayerGamingAllowed", BOOLEAN, .preset = "true", .deprecated = "m10.13"),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t ironwood_support[] = {
    MDM_PAYLOAD_KEY("Profanity Allowed", BOOLEAN, .preset = "true"),
    MDM_PAYLOAD_KEY("Ironwood Allowed", BOOLEAN, .preset = "true"),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t mcx_menu_extras[] = {
    MDM_PAYLOAD_KEY("delaySeconds", REAL, .preset = "2.5"),
    MDM_PAYLOAD_KEY("maxWaitSeconds", REAL, .preset = "20.0"),
    MDM_PAYLOAD_KEY("AirPort.menu", BOOLEAN),
    MDM_PAYLOAD_KEY("Battery.menu", BOOLEAN),
    MDM_PAYLOAD_KEY("Bluetooth.menu", BOOLEAN),
    MDM_PAYLOAD_KEY("CPU.menu", BOOLEAN),
    MDM_PAYLOAD_KEY("Clock.menu", BOOLEAN),
    MDM_PAYLOAD_KEY("Displays.menu", BOOLEAN),
    MDM_PAYLOAD_KEY("Eject.menu", BOOLEAN),
    MDM_PAYLOAD_KEY("Fax.menu", BOOLEAN),
    MDM_PAYLOAD_KEY("HomeSync.menu", BOOLEAN),
    MDM_PAYLOAD_KEY("iChat.menu", BOOLEAN),
    MDM_PAYLOAD_KEY("Ink.menu", BOOLEAN),
    MDM_PAYLOAD_KEY("IrDA.menu", BOOLEAN),
    MDM_PAYLOAD_KEY("PCCard.menu", BOOLEAN),
    MDM_PAYLOAD_KEY("PPP.menu", BOOLEAN),
    MDM_PAYLOAD_KEY("PPPoE.menu", BOOLEAN),
    MDM_PAYLOAD_KEY("RemoteDesktop.menu", BOOLEAN),
    MDM_PAYLOAD_KEY("Script Menu.menu", BOOLEAN),
    MDM_PAYLOAD_KEY("Spaces.menu", BOOLEAN),
    MDM_PAYLOAD_KEY("Sync.menu", BOOLEAN),
    MDM_PAYLOAD_KEY("TextInput.menu", BOOLEAN),
    MDM_PAYLOAD_KEY("TimeMachine.menu", BOOLEAN),
    MDM_PAYLOAD_KEY("UniversalAccess.menu", BOOLEAN),
    MDM_PAYLOAD_KEY("User.menu", BOOLEAN),
    MDM_PAYLOAD_KEY("VPN.menu", BOOLEAN),
    MDM_PAYLOAD_KEY("Volume.menu", BOOLEAN),
    MDM_PAYLOAD_KEY("WWAN.menu", BOOLEAN),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t preference_users[] = {
    MDM_PAYLOAD_KEY("DisableUsingiCloudPassword", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t screensaver[] = {
    MDM_PAYLOAD_KEY("askForPassword", BOOLEAN, .preset = "false", .since = "m10.13"),
    MDM_PAYLOAD_KEY("askForPasswordDelay", INTEGER, .since = "m10.13"),
    MDM_PAYLOAD_KEY("loginWindowIdleTime", INTEGER),
    MDM_PAYLOAD_KEY("loginWindowModulePath", STRING),
    MDM_PAYLOAD_KEY("moduleName", STRING, .required = 1),
    MDM_PAYLOAD_KEY("idleTime", INTEGER),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t screensaver_user[] = {
    MDM_PAYLOAD_KEY("moduleName", STRING, .required = 1),
    MDM_PAYLOAD_KEY("modulePath", STRING),
    MDM_PAYLOAD_KEY("idleTime", INTEGER),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t systempreferences_enabled_preference_panes[] = {
    MDM_PAYLOAD_KEY("item", STRING,
                    .values = "com.apple.ClassroomSettings|com.apple.Localization|"
                        "com.apple.preference.datetime|com.apple.preference.desktopscreeneffect|"
                        "com.apple.preference.digihub.discs|com.apple.preference.displays|"
                        "com.apple.preference.dock|com.apple.preference.energysaver|"
                        "com.apple.preference.expose|com.apple.preference.general|com.apple.preference.ink|"
                        "com.apple.preference.keyboard|com.apple.preference.mouse|"
                        "com.apple.preference.network|com.apple.preference.notifications|"
                        "com.apple.preference.printfax|com.apple.preference.screentime|"
                        "com.apple.preference.security|com.apple.preference.sidecar|"
                        "com.apple.preference.sound|com.apple.preference.speech|"
                        "com.apple.preference.spotlight|com.apple.preference.startupdisk|"
                        "com.apple.preference.trackpad|com.apple.preference.universalaccess|"
                        "com.apple.preferences.AppleIDPrefPane|com.apple.preferences.appstore|"
                        "com.apple.preferences.Bluetooth|com.apple.preferences.configurationprofiles|"
                        "com.apple.preferences.extensions|com.apple.preferences.FamilySharingPrefPane|"
                        "com.apple.preferences.icloud|com.apple.preferences.internetaccounts|"
                        "com.apple.preferences.parentalcontrols|com.apple.preferences.password|"
                        "com.apple.preferences.sharing|com.apple.preferences.softwareupdate|"
                        "com.apple.preferences.users|com.apple.preferences.wallet|"
                        "com.apple.prefpanel.fibrechannel|com.apple.prefs.backup|com.apple.Xsan"),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t systempreferences_disabled_system_settings[] = {
    MDM_PAYLOAD_KEY("item", STRING,
                    .values = "com.apple.Accessibility-Settings.extension|"
                        "com.apple.AirDrop-Handoff-Settings.extension|com.apple.Battery-Settings.extension|"
                        "com.apple.BluetoothSettings|com.apple.CD-DVD-Settings.extension|"
                        "com.apple.ClassKit-Settings.extension|com.apple.Classroom-Settings.extension|"
                        "com.apple.ControlCenter-Settings.extension|com.apple.Date-Time-Settings.extension|"
                        "com.apple.Desktop-Settings.extension|com.apple.Displays-Settings.extension|"
                        "com.apple.ExtensionsPreferences|com.apple.Family-Settings.extension|"
                        "com.apple.Focus-Settings.extension|com.apple.Game-Center-Settings.extension|"
                        "com.apple.Game-Controller-Settings.extension|com.apple.HeadphoneSettings|"
                        "com.apple.Internet-Accounts-Settings.extension|"
                        "com.apple.Keyboard-Settings.extension|com.apple.Localization-Settings.extension|"
                        "com.apple.Lock-Screen-Settings.extension|com.apple.LoginItems-Settings.extension|"
                        "com.apple.Mouse-Settings.extension|com.apple.Network-Settings.extension|"
                        "com.apple.NetworkExtensionSettingsUI.NESettingsUIExtension|"
                        "com.apple.Notifications-Settings.extension|com.apple.Passwords-Settings.extension|"
                        "com.apple.Print-Scan-Settings.extension|com.apple.Screen-Time-Settings.extension|"
                        "com.apple.ScreenSaver-Settings.extension|com.apple.Sharing-Settings.extension|"
                        "com.apple.Siri-Settings.extension|com.apple.Software-Update-Settings.extension|"
                        "com.apple.Sound-Settings.extension|com.apple.Startup-Disk-Settings.extension|"
                        "com.apple.Time-Machine-Settings.extension|com.apple.Touch-ID-Settings.extension|"
                        "com.apple.Trackpad-Settings.extension|com.apple.Transfer-Reset-Settings.extension|"
                        "com.apple.Users-Groups-Settings.extension|com.apple.WalletSettingsExtension|"
                        "com.apple.Wallpaper-Settings.extension|com.apple.settings.Storage|"
                        "com.apple.systempreferences.AppleIDSettings|com.apple.wifi-settings-extension"),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t systempreferences[] = {
    MDM_PAYLOAD_KEY("EnabledPreferencePanes", ARRAY, .keys = systempreferences_enabled_preference_panes),
    MDM_PAYLOAD_KEY("DisabledPreferencePanes", ARRAY, .keys = systempreferences_enabled_preference_panes),
    MDM_PAYLOAD_KEY("DisabledSystemSettings", ARRAY, .since = "m13.0",
                    .keys = systempreferences_disabled_system_settings),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t menu_bar_cd[] = {
    MDM_PAYLOAD_KEY("item", STRING, .values = "authenticate|read-only|deny|eject"),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t menu_bar_logout_eject[] = {
    MDM_PAYLOAD_KEY("all-media", STRING),
    MDM_PAYLOAD_KEY("cd", ARRAY, .keys = menu_bar_cd),
    MDM_PAYLOAD_KEY("dvd", ARRAY, .keys = menu_bar_cd),
    MDM_PAYLOAD_KEY("bd", ARRAY, .keys = menu_bar_cd),
    MDM_PAYLOAD_KEY("blankcd", ARRAY, .keys = menu_bar_cd),
    MDM_PAYLOAD_KEY("blankdvd", ARRAY, .keys = menu_bar_cd),
    MDM_PAYLOAD_KEY("blankbd", ARRAY, .keys = menu_bar_cd),
    MDM_PAYLOAD_KEY("dvdram", ARRAY, .keys = menu_bar_cd),
    MDM_PAYLOAD_KEY("disk-image", ARRAY, .keys = menu_bar_cd),
    MDM_PAYLOAD_KEY("harddisk-internal", ARRAY, .keys = menu_bar_cd),
    MDM_PAYLOAD_KEY("harddisk-external", ARRAY, .keys = menu_bar_cd),
    MDM_PAYLOAD_KEY("networkdisk", ARRAY, .keys = menu_bar_cd),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t menu_bar[] = {
    MDM_PAYLOAD_KEY("logout-eject", DICT, .keys = menu_bar_logout_eject),
    MDM_PAYLOAD_KEY("mount-controls", DICT, .keys = menu_bar_logout_eject),
    MDM_PAYLOAD_KEY("unmount-controls", DICT, .keys = menu_bar_logout_eject),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t universalaccess[] = {
    MDM_PAYLOAD_KEY("closeViewFarPoint", INTEGER),
    MDM_PAYLOAD_KEY("closeViewHotkeysEnabled", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("closeViewNearPoint", INTEGER),
    MDM_PAYLOAD_KEY("closeViewScrollWheelToggle", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("closeViewShowPreview", BOOLEAN, .preset = "false", .since = "m10.9",
                    .deprecated = "m10.15"),
    MDM_PAYLOAD_KEY("closeViewSmoothImages", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("contrast", REAL, .range = "0 1"),
    MDM_PAYLOAD_KEY("flashScreen", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("grayscale", BOOLEAN, .preset = "false", .deprecated = "m11.0"),
    MDM_PAYLOAD_KEY("mouseDriver", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("mouseDriverCursorSize", INTEGER),
    MDM_PAYLOAD_KEY("mouseDriverIgnoreTrackpad", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("mouseDriverInitialDelay", INTEGER),
    MDM_PAYLOAD_KEY("mouseDriverMaxSpeed", INTEGER),
    MDM_PAYLOAD_KEY("slowKey", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("slowKeyBeepOn", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("slowKeyDelay", INTEGER),
    MDM_PAYLOAD_KEY("stereoAsMono", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("stickyKey", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("stickyKeyBeepOnModifier", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("stickyKeyShowWindow", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("voiceOverOnOffKey", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("whiteOnBlack", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEYS_END
};

const mdm_payload_type_t mdm_payloads_mac_desktop[] = {
    MDM_PAYLOAD_TYPE("com.apple.Dictionary", "Parental Controls: Dictionary", dictionary, .since = "m10.7",
                    .single = "m", .mac = "DU", .domain = 1),
    MDM_PAYLOAD_TYPE("com.apple.DiscRecording", "Media Management: Disc Burning", disc_recording,
                    .since = "m10.7", .single = "m", .mac = "DU", .domain = 1),
    MDM_PAYLOAD_TYPE("com.apple.appstore", "App Store", appstore, .since = "m10.9", .single = "m",
                    .mac = "DU", .domain = 1),
    MDM_PAYLOAD_TYPE("com.apple.dashboard", "Parental Controls: Dashboard Widget Restrictions", dashboard,
                    .since = "m10.7", .deprecated = "m10.15", .removed = "m10.15", .single = "m", .mac = "DU",
                    .domain = 1),
    MDM_PAYLOAD_TYPE("com.apple.desktop", "Desktop", desktop, .since = "m10.10", .single = "m", .mac = "DU",
                    .domain = 1),
    MDM_PAYLOAD_TYPE("com.apple.dock", "Dock", dock, .since = "m10.7", .single = "m", .mac = "DU",
                    .domain = 1),
    MDM_PAYLOAD_TYPE("com.apple.fileproviderd", "File Provider", fileproviderd, .since = "m11.0",
                    .user_enrollment = "m", .single = "m", .mac = "DU", .domain = 1),
    MDM_PAYLOAD_TYPE("com.apple.finder", "Finder", finder, .since = "m10.7", .single = "m", .mac = "DU",
                    .domain = 1),
    MDM_PAYLOAD_TYPE("com.apple.gamed", "Parental Controls: Game Center", gamed, .since = "m10.9",
                    .single = "m", .mac = "DU", .domain = 1),
    MDM_PAYLOAD_TYPE("com.apple.ironwood.support", "Parental Control: Dictation and Profanity",
                    ironwood_support, .since = "m10.9", .deprecated = "m10.13", .single = "m", .mac = "DU",
                    .domain = 1),
    MDM_PAYLOAD_TYPE("com.apple.mcxMenuExtras", "Managed Menu Extras", mcx_menu_extras, .since = "m10.7",
                    .single = "m", .mac = "DU", .domain = 1),
    MDM_PAYLOAD_TYPE("com.apple.preference.users", "User Preferences", preference_users, .since = "m10.12",
                    .user_enrollment = "m", .single = "m", .mac = "DU", .domain = 1),
    MDM_PAYLOAD_TYPE("com.apple.screensaver", "Screensaver", screensaver, .since = "m10.11", .single = "m",
                    .mac = "D", .domain = 1),
    MDM_PAYLOAD_TYPE("com.apple.screensaver.user", "Screensaver User", screensaver_user, .since = "m10.11",
                    .single = "m", .mac = "U", .domain = 1),
    MDM_PAYLOAD_TYPE("com.apple.systempreferences", "System Preferences", systempreferences, .since = "m10.7",
                    .deprecated = "m13.0", .single = "m", .mac = "DU", .domain = 1),
    MDM_PAYLOAD_TYPE("com.apple.systemuiserver", "Media Management: Allowed Media", menu_bar,
                    .since = "m10.7", .deprecated = "m11.0", .single = "m", .mac = "DU", .domain = 1),
    MDM_PAYLOAD_TYPE("com.apple.universalaccess", "Accessibility", universalaccess, .since = "m10.9",
                    .single = "m", .mac = "DU", .domain = 1),
    MDM_PAYLOAD_TYPES_END
};
