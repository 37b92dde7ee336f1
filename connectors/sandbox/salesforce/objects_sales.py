"""Standard objects of selling: accounts, contacts, opportunities and their history."""

from connectors.sandbox.salesforce import field_history
from connectors.sandbox.salesforce.objects import define

_SOURCES = ("Web", "Phone Inquiry", "Partner Referral", "Purchased List", "Other")
_TYPES = (
    "Existing Customer - Upgrade",
    "Existing Customer - Replacement",
    "Existing Customer - Downgrade",
    "New Customer",
)
_ROLES = (
    "Business User",
    "Decision Maker",
    "Economic Buyer",
    "Economic Decision Maker",
    "Evaluator",
    "Executive Sponsor",
    "Influencer",
    "Technical Buyer",
    "Other",
)
FORECAST_CODES = ("Omitted", "Pipeline", "BestCase", "MostLikely", "Forecast", "Closed")
FORECAST_NAMES = ("Omitted", "Pipeline", "Best Case", "Commit", "Closed")

ACCOUNT = define(
    "Account 001 Account",
    """
    Name              string(255)                        CUn  Account Name
    Type              picklist                           CUN  Account Type
    ParentId          reference(Account/ChildAccounts)   CUN  Parent Account ID
    Phone             phone                              CUN  Account Phone
    Website           url                                CUN  Website
    Industry          picklist                           CUN  Industry
    AnnualRevenue     currency(18,0)                     CUN  Annual Revenue
    NumberOfEmployees int                                CUN  Employees
    Description       textarea(32000)                    CUN  Account Description
    CurrencyIsoCode   picklist(3)                        CUND Account Currency
    OwnerId           reference(User)                    CUD  Owner ID
    LastActivityDate  date                               N    Last Activity
    """,
)

CONTACT = define(
    "Contact 003 Contact",
    """
    AccountId         reference(Account/Contacts)        CUN  Account ID
    LastName          string(80)                         CU   Last Name
    FirstName         string(40)                         CUN  First Name
    Salutation        picklist(40)                       CUN  Salutation
    Name              string(121)                        n    Full Name
    Title             string(128)                        CUN  Title
    Department        string(80)                         CUN  Department
    Email             email                              CUN  Email
    Phone             phone                              CUN  Business Phone
    ReportsToId       reference(Contact)                 CUN  Reports To ID
    LeadSource        picklist                           CUN  Lead Source
    Description       textarea(32000)                    CUN  Contact Description
    OwnerId           reference(User)                    CUD  Owner ID
    LastActivityDate  date                               N    Last Activity
    """,
    picklists={"LeadSource": _SOURCES},
)

OPPORTUNITY = define(
    "Opportunity 006 Opportunity/Opportunities",
    """
    AccountId                     reference(Account/Opportunities)       CUN  Account ID
    RecordTypeId                  reference(RecordType)                  CUND Record Type ID
    IsPrivate                     boolean                                CUD  Private
    Name                          string(120)                            CUn  Name
    Description                   textarea(32000)                        CUN  Description
    StageName                     picklist                               CU   Stage
    Amount                        currency(18,2)                         CUN  Amount
    Probability                   percent(3,0)                           CUND Probability (%)
    ExpectedRevenue               currency(18,2)                         N    Expected Amount
    TotalOpportunityQuantity      double(18,2)                           CUN  Quantity
    CloseDate                     date                                   CU   Close Date
    Type                          picklist                               CUN  Opportunity Type
    NextStep                      string(255)                            CUN  Next Step
    LeadSource                    picklist                               CUN  Lead Source
    IsClosed                      boolean                                D    Closed
    IsWon                         boolean                                D    Won
    ForecastCategory              picklist(40)                           r    Forecast Category
    ForecastCategoryName          picklist                               CUNDr Forecast Category
    CurrencyIsoCode               picklist(3)                            CUND Opportunity Currency
    HasOpportunityLineItem        boolean                                D    Has Line Item
    OwnerId                       reference(User)                        CUD  Owner ID
    LastActivityDate              date                                   N    Last Activity
    PushCount                     int                                    N    Push Count
    LastStageChangeDate           datetime                               N    Last Stage Change Date
    FiscalQuarter                 int                                    N    Fiscal Quarter
    FiscalYear                    int                                    N    Fiscal Year
    Fiscal                        string(6)                              N    Fiscal Period
    ContactId                     reference(Contact)                     CNo  Contact ID
    HasOpenActivity               boolean                                Df   Has Open Activity
    HasOverdueTask                boolean                                Df   Has Overdue Task
    LastAmountChangedHistoryId    reference(OpportunityHistory)          N    Opportunity History ID
    LastCloseDateChangedHistoryId reference(OpportunityHistory)          N    Opportunity History ID
    """,
    picklists={
        "Type": _TYPES,
        "LeadSource": _SOURCES,
        "ForecastCategory": FORECAST_CODES,
        "ForecastCategoryName": FORECAST_NAMES,
    },
)

OPPORTUNITY_HISTORY = define(
    "OpportunityHistory 008 Opportunity History/Opportunity Histories",
    """
    OpportunityId     reference(Opportunity/OpportunityHistories) - Opportunity ID
    StageName         picklist                               -    Stage Name
    Amount            currency(18,2)                         N    Amount
    ExpectedRevenue   currency(18,2)                         N    Expected Revenue
    CloseDate         date                                   N    Close Date
    Probability       percent(3,0)                           N    Probability
    ForecastCategory  picklist(40)                           r    To ForecastCategory
    CurrencyIsoCode   picklist(3)                            N    Currency ISO Code
    PrevAmount        currency(18,2)                         N    Previous Amount
    PrevCloseDate     date                                   N    Previous Close Date
    """,
    picklists={"ForecastCategory": FORECAST_CODES},
    without=("LastModifiedDate", "LastModifiedById"),
    access="",
)

FIELD_HISTORY = define(
    f"{field_history.OBJECT} 017 Opportunity Field History/Opportunity Field History",
    """
    OpportunityId     reference(Opportunity/Histories)       -    Opportunity ID
    Field             picklist                               r    Changed Field
    DataType          picklist(40)                           r    Datatype
    OldValue          anyType                                Nf   Old Value
    NewValue          anyType                                Nf   New Value
    """,
    picklists={"Field": field_history.FIELD_NAMES},
    without=("LastModifiedDate", "LastModifiedById", "SystemModstamp"),
    access="",
)

CONTACT_ROLE = define(
    "OpportunityContactRole 00K Opportunity Contact Role/Opportunity Contact Role/Contact Role",
    """
    OpportunityId     reference(Opportunity/OpportunityContactRoles) C   Opportunity ID
    ContactId         reference(Contact/OpportunityContactRoles)     CU  Contact ID
    Role              picklist(40)                                   CUN Role
    IsPrimary         boolean                                        CUD Primary
    """,
    picklists={"Role": _ROLES},
)

STAGE = define(
    "OpportunityStage 01J Opportunity Stage",
    """
    MasterLabel          string(255)     Nn   Master Label
    ApiName              string(255)     N    API Name
    IsActive             boolean         D    Is Active
    SortOrder            int             N    Sort Order
    IsClosed             boolean         D    Closed
    IsWon                boolean         D    Won
    ForecastCategory     picklist(40)    r    Forecast Category
    ForecastCategoryName picklist        Nr   Forecast Category
    DefaultProbability   percent(3,0)    N    Probability (%)
    Description          string(255)     N    Description
    """,
    picklists={"ForecastCategory": FORECAST_CODES, "ForecastCategoryName": FORECAST_NAMES},
    without=("IsDeleted",),
    access="",
)

RECORD_TYPE = define(
    "RecordType 012 Record Type",
    """
    Name              string(80)                   CUn Name
    DeveloperName     string(80)                   CU  Record Type Name
    NamespacePrefix   string(15)                   N   Namespace Prefix
    Description       string(255)                  CUN Description
    BusinessProcessId reference(BusinessProcess)   CUN Business Process ID
    SobjectType       picklist(40)                 C   SObject Type Name
    IsActive          boolean                      CUD Active
    """,
    without=("IsDeleted",),
    access="CU",
)

BUSINESS_PROCESS = define(
    "BusinessProcess 019 Business Process/Business Processes",
    """
    Name              string(80)      CUn Name
    NamespacePrefix   string(15)      N   Namespace Prefix
    Description       string(255)     CUN Description
    TableEnumOrId     picklist(40)    C   Entity Enumeration Or ID
    IsActive          boolean         CUD Active
    """,
    without=("IsDeleted",),
    access="CU",
)

OBJECTS = (
    ACCOUNT,
    CONTACT,
    OPPORTUNITY,
    OPPORTUNITY_HISTORY,
    FIELD_HISTORY,
    CONTACT_ROLE,
    STAGE,
    RECORD_TYPE,
    BUSINESS_PROCESS,
)
