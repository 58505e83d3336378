# SPDX-License-Identifier: Apache-2.0
"""Apple's commands, read anew from Apple's documentation and not from this server's table, which is held against this:
RequestType | first versions, by systems: i iOS, m macOS, t tvOS, v visionOS, w watchOS | systems on which it needs
supervision | keys with their types, "!" behind what must be there."""

COMMANDS = """\
AccountConfiguration | m10.11 | - | SkipPrimarySetupAccountCreation:boolean
    SetPrimarySetupAccountAsRegularUser:boolean PrimaryAccountFullName:string PrimaryAccountUserName:string
    DontAutoPopulatePrimaryAccountInfo:boolean LockPrimaryAccountInfo:boolean AutoSetupAdminAccounts:array
    ManagedLocalUserShortName:string
ActivationLockBypassCode | i7.1 m10.15 v2.0 | imv | -
ActiveNSExtensions | m10.13 | - | FilterExtensionPoints:array
ApplyRedemptionCode | i5.0 | - | Identifier:string! RedemptionCode:string!
AvailableOSUpdates | i9.0 m10.11 t12.0 | it | -
CancelEnhancedLogCollection | i27.0 m27.0 t27.0 | imt | -
CertificateList | i4.0 m10.7 t9.0 v1.1 w10.0 | - | ManagedOnly:boolean
ClearActivationLockBypassCode | i7.1 m10.15 v2.0 | imv | -
ClearPasscode | i4.0 v1.1 w10.0 | - | UnlockToken:data!
ClearRestrictionsPassword | i8.0 | i | -
ContentCachingInformation | m10.15.4 | - | -
DeclarativeManagement | i15.0 m13.0 t16.0 v1.1 w10.0 | - | Data:data
DeleteUser | i9.3 m10.13 | m | UserName:string ForceDeletion:boolean DeleteAllUsers:boolean
DeviceConfigured | i9.0 m10.11 t10.2 v2.0 | itv | -
DeviceInformation | i4.0 m10.7 t9.0 v1.1 w10.0 | - | Queries:array! DeviceAttestationNonce:data
DeviceLocation | i9.3 | i | -
DeviceLock | i4.0 m10.7 v2.0 w10.0 | - | Message:string PhoneNumber:string PIN:string
DisableLostMode | i9.3 | i | -
DisableRemoteDesktop | m10.14.4 | m | -
EnableLostMode | i9.3 | i | Message:string PhoneNumber:string Footnote:string
EnableRemoteDesktop | m10.14.4 | m | -
EraseDevice | i4.0 m10.7 t10.2 v1.1 w10.0 | - | PreserveDataPlan:boolean DisallowProximitySetup:boolean PIN:string
    ObliterationBehavior:string ReturnToService:dictionary
InstallApplication | i5.0 m10.9 t10.2 v1.1 w10.0 | - | iTunesStoreID:integer Identifier:string Options:dictionary
    ManifestURL:string ManagementFlags:integer Configuration:dictionary Attributes:dictionary
    ChangeManagementState:string InstallAsManaged:boolean iOSApp:boolean
InstallEnterpriseApplication | m10.13.6 | - | Manifest:dictionary ManifestURL:string ManifestURLPinningCerts:array
    PinningRevocationCheckRequired:boolean InstallAsManaged:boolean ManagementFlags:integer Configuration:dictionary
    ChangeManagementState:string iOSApp:boolean
InstallMedia | i8.0 m10.9 | - | iTunesStoreID:integer MediaURL:string MediaType:string! PersistentID:string
    Kind:string Version:string Author:string Title:string
InstallProfile | i4.0 m10.7 t9.0 v1.1 w10.0 | - | Payload:data!
InstallProvisioningProfile | i4.0 m11.0 t10.2 v1.1 w10.0 | - | ProvisioningProfile:data!
InstalledApplicationList | i5.0 m10.7 t10.2 v1.1 w10.0 | - | Identifiers:array ManagedAppsOnly:boolean Items:array
InviteToProgram | i7.0 m10.9 | - | ProgramID:string! InvitationURL:string!
LOMDeviceRequest | m11.0 | - | RequestList:array!
LOMSetupRequest | m11.0 | - | -
LogOutUser | i9.3 | - | -
ManagedApplicationAttributes | i7.0 t10.2 v1.1 w10.0 | - | Identifiers:array!
ManagedApplicationConfiguration | i7.0 m10.15 t10.2 v1.1 w10.0 | - | Identifiers:array!
ManagedApplicationFeedback | i7.0 m11.0 t10.2 v1.1 | - | Identifiers:array! DeleteFeedback:boolean
ManagedApplicationList | i5.0 m11.0 t10.2 v1.1 w10.0 | - | Identifiers:array
ManagedMediaList | i8.0 | - | -
NSExtensionMappings | m10.13 | - | -
OSUpdateStatus | i9.0 m10.11.5 t12.0 | imt | -
PlayLostModeSound | i10.3 | i | -
ProfileList | i4.0 m10.7 t9.0 v1.1 w10.0 | - | ManagedOnly:boolean
ProvisioningProfileList | i4.0 m11.0 t10.2 v1.1 w10.0 | - | ManagedOnly:boolean
RefreshCellularPlans | i13.0 | - | eSIMServerURL:string!
RemoveApplication | i5.0 m11.0 t10.2 v1.1 w10.0 | - | Identifier:string!
RemoveMedia | i8.0 | - | MediaType:string! iTunesStoreID:string PersistentID:string
RemoveProfile | i4.0 m10.7 t9.0 v1.1 w10.0 | - | Identifier:string!
RemoveProvisioningProfile | i4.0 m11.0 t10.2 v1.1 w10.0 | - | UUID:string!
RequestMirroring | i7.0 m10.10 | - | DestinationName:string DestinationDeviceID:string ScanTime:integer
    Password:string
RequestUnlockToken | i5.0 | i | -
RestartDevice | i10.3 m10.13 t10.2 | it | RebuildKernelCache:boolean KextPaths:array NotifyUser:boolean
Restrictions | i4.0 t9.0 v1.1 w10.0 | - | ProfileRestrictions:boolean
RotateFileVaultKey | m10.9 | - | KeyType:string! FileVaultUnlock:dictionary! NewCertificate:data
    ReplyEncryptionCertificate:data
ScheduleOSUpdate | i9.0 m10.11 t12.0 | imt | Updates:array!
ScheduleOSUpdateScan | m10.11 | m | Force:boolean
SecurityInfo | i4.0 m10.7 t9.0 v1.1 w10.0 | - | -
SetAutoAdminPassword | m10.11 | - | GUID:string! passwordHash:data!
SetFirmwarePassword | m10.13 | - | CurrentPassword:string NewPassword:string! AllowOroms:boolean
SetRecoveryLock | m11.5 | - | CurrentPassword:string NewPassword:string!
Settings | i5.0 m10.9 t9.0 v1.1 w10.0 | - | Settings:array!
ShutDownDevice | i10.3 m10.13 | i | -
StopMirroring | i7.0 m10.10 | i | -
TriggerEnhancedLogCollection | i27.0 m27.0 t27.0 | imt | AppleCareToken:string!
UnlockUserAccount | m10.13 | - | UserName:string!
UserConfigured | i17.0 | i | -
UserList | i9.3 m10.13 | m | -
ValidateApplications | i9.2 t10.2 v1.1 | - | Identifiers:array
VerifyFirmwarePassword | m10.13 | - | Password:string!
VerifyRecoveryLock | m11.5 | - | Password:string!
"""


def commands():
    """RequestType -> (versions by system, systems that want supervision, keys: name -> (type, required))."""
    found = {}
    for line in COMMANDS.replace("\n    ", " ").splitlines():
        name, since, supervised, keys = (part.strip() for part in line.split("|"))
        found[name] = ({one[0]: one[1:] for one in since.split()}, set(supervised) - {"-"},
                       {one.split(":")[0]: (one.split(":")[1].rstrip("!"), one.endswith("!"))
                        for one in keys.split() if one != "-"})
    return found
