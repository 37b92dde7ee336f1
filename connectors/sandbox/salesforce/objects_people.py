"""Standard objects of the organisation itself: users, roles, permissions, currency."""

from connectors.sandbox.salesforce.objects import define

ORGANIZATION = define(
    "Organization 00D Organization",
    """
    Name                          string(80)    Un  Name
    TimeZoneSidKey                picklist(40)  r   Time Zone
    DefaultLocaleSidKey           picklist(40)  r   Locale
    LanguageLocaleKey             picklist(40)  r   Language
    FiscalYearStartMonth          int           N   Fiscal Year Starts In
    UsesStartDateAsFiscalYearName boolean       D   Fiscal Year Name by Start
    OrganizationType              picklist(40)  Nr  Edition
    InstanceName                  string(5)     N   Instance Name
    IsSandbox                     boolean       D   Is Sandbox
    NamespacePrefix               string(15)    N   Namespace Prefix
    """,
    without=("IsDeleted",),
    access="U",
)

USER = define(
    "User 005 User/People",
    """
    Username              string(80)                  CU   Username
    LastName              string(80)                  CU   Last Name
    FirstName             string(40)                  CUN  First Name
    Name                  string(121)                 n    Full Name
    CompanyName           string(80)                  CUN  Company Name
    Department            string(80)                  CUN  Department
    Title                 string(80)                  CUN  Title
    Email                 email(128)                  CU   Email
    Alias                 string(8)                   CU   Alias
    IsActive              boolean                     CUD  Active
    TimeZoneSidKey        picklist(40)                CUDr Time Zone
    LocaleSidKey          picklist(40)                CUDr Locale
    LanguageLocaleKey     picklist(40)                CUDr Language
    DefaultCurrencyIsoCode picklist(3)                CUND Default Currency ISO Code
    CurrencyIsoCode       picklist(3)                 CUD  User Currency
    UserRoleId            reference(UserRole/Users)   CUN  Role ID
    ProfileId             reference(Profile/Users)    CUD  Profile ID
    UserType              picklist(40)                Nr   User Type
    ManagerId             reference(User/ManagedUsers) CUN Manager ID
    ForecastEnabled       boolean                     D    Allow Forecasting
    """,
    without=("IsDeleted",),
    access="U",
)

USER_ROLE = define(
    "UserRole 00E Role",
    """
    Name                  string(80)                  CUn  Name
    DeveloperName         string(80)                  CU   Developer Name
    ParentRoleId          reference(UserRole)         CUNo Parent Role ID
    ForecastUserId        reference(User)             UNo  User ID
    """,
    without=("IsDeleted", "CreatedDate", "CreatedById"),
    access="U",
)

PROFILE = define(
    "Profile 00e Profile",
    """
    Name                  string(255)                 n    Name
    UserLicenseId         reference(UserLicense)      -    User License ID
    UserType              picklist(40)                Nr   User Type
    """,
    without=("IsDeleted",),
    access="",
)

USER_LICENSE = define(
    "UserLicense 100 User License",
    """
    Name                  string(40)                  n    Name
    MasterLabel           string(40)                  -    Master Label
    LicenseDefinitionKey  string(40)                  -    License Def. ID
    """,
    without=("IsDeleted", "CreatedById", "LastModifiedById"),
    access="",
)

PERMISSION_SET = define(
    "PermissionSet 0PS Permission Set",
    """
    Name                  string(80)                  CUn  API Name
    Label                 string(80)                  CU   Label
    Description           string(255)                 CUN  Description
    IsOwnedByProfile      boolean                     D    Is Owned By Profile
    IsCustom              boolean                     D    Is Custom
    NamespacePrefix       string(15)                  N    Namespace Prefix
    """,
    without=("IsDeleted",),
)

PERMISSION_SET_ASSIGNMENT = define(
    "PermissionSetAssignment 0Pa Permission Set Assignment",
    """
    PermissionSetId       reference(PermissionSet/Assignments)           C  Permission Set ID
    AssigneeId            reference(User/PermissionSetAssignments)       C  Assignee ID
    IsActive              boolean                                        D  Is Active
    """,
    without=("IsDeleted", "CreatedDate", "CreatedById", "LastModifiedDate", "LastModifiedById"),
    access="CD",
)

FIELD_PERMISSIONS = define(
    "FieldPermissions 01k Field Permissions",
    """
    ParentId              reference(PermissionSet/FieldPerms)  C   Parent ID
    SobjectType           picklist(40)                         Cr  SObject Type Name
    Field                 picklist                             Cr  Field Name
    PermissionsRead       boolean                              CUD Read Field
    PermissionsEdit       boolean                              CUD Edit Field
    """,
    without=("IsDeleted", "CreatedDate", "CreatedById", "LastModifiedDate", "LastModifiedById"),
)

OBJECT_PERMISSIONS = define(
    "ObjectPermissions 110 Object Permissions",
    """
    ParentId              reference(PermissionSet/ObjectPerms) C   Parent ID
    SobjectType           picklist(40)                         Cr  SObject Type Name
    PermissionsCreate     boolean                              CUD Create Records
    PermissionsRead       boolean                              CUD Read Records
    PermissionsEdit       boolean                              CUD Edit Records
    PermissionsDelete     boolean                              CUD Delete Records
    PermissionsViewAllRecords boolean                          CUD Read All Records
    PermissionsModifyAllRecords boolean                        CUD Edit All Records
    """,
    without=("IsDeleted",),
)

CURRENCY = define(
    "CurrencyType 01L Currency Type",
    """
    IsoCode               picklist(3)                 Cr   Currency ISO Code
    ConversionRate        double(18,6)                CU   Conversion Rate
    DecimalPlaces         int                         CU   Decimal Places
    IsActive              boolean                     CUD  Active
    IsCorporate           boolean                     D    Corporate Currency
    """,
    without=("IsDeleted",),
    access="U",
)

OBJECTS = (
    ORGANIZATION,
    USER,
    USER_ROLE,
    PROFILE,
    USER_LICENSE,
    PERMISSION_SET,
    PERMISSION_SET_ASSIGNMENT,
    FIELD_PERMISSIONS,
    OBJECT_PERMISSIONS,
    CURRENCY,
)
