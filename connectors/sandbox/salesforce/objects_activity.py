"""Standard objects of working a deal: tasks, events and mails."""

from connectors.sandbox.salesforce.objects import define

_SUBJECTS = ("Call", "Email", "Meeting", "Send Letter/Quote", "Other")
TASK_STATUSES = (
    "Not Started",
    "In Progress",
    "Completed",
    "Waiting on someone else",
    "Deferred",
)
TASK_PRIORITIES = ("High", "Normal", "Low")
CLOSED_STATUS = "Completed"
_EMAIL_STATUSES = ("0", "1", "2", "3", "4", "5", "6")

TASK = define(
    "Task 00T Task/Tasks/Activity",
    """
    WhoId                 reference(Contact,Lead/Tasks)          CUN   Name ID
    WhatId                reference(Account,Opportunity/Tasks)   CUN   Related To ID
    Subject               combobox(255)                          CUNn  Subject
    ActivityDate          date                                   CUN   Due Date Only
    Status                picklist                               CUD   Status
    Priority              picklist                               CUD   Priority
    IsHighPriority        boolean                                D     High Priority
    OwnerId               reference(User,Group)                  CUD   Assigned To ID
    Description           textarea(32000)                        CUN   Description
    Type                  picklist                               CUN   Type
    AccountId             reference(Account)                     N     Account ID
    IsClosed              boolean                                D     Closed
    IsArchived            boolean                                D     Archived
    CallDurationInSeconds int                                    CUN   Call Duration
    CallType              picklist(40)                           CUNr  Call Type
    CallDisposition       string(255)                            CUN   Call Result
    ReminderDateTime      datetime                               CUN   Reminder Date/Time
    IsReminderSet         boolean                                CUD   Reminder Set
    IsRecurrence          boolean                       CD    Create Recurring Series of Tasks
    TaskSubtype           picklist(40)                           CNr   Task Subtype
    CompletedDateTime     datetime                               N     Completed Date
    """,
    picklists={
        "Subject": _SUBJECTS,
        "Status": TASK_STATUSES,
        "Priority": TASK_PRIORITIES,
        "Type": ("Call", "Email", "Meeting", "Other"),
        "CallType": ("Internal", "Inbound", "Outbound"),
        "TaskSubtype": ("Task", "Email", "ListEmail", "Cadence", "Call", "LinkedIn"),
    },
)

EVENT = define(
    "Event 00U Event/Events/Activity",
    """
    WhoId                 reference(Contact,Lead/Events)         CUN   Name ID
    WhatId                reference(Account,Opportunity/Events)  CUN   Related To ID
    Subject               combobox(255)                          CUNn  Subject
    Location              string(255)                            CUN   Location
    IsAllDayEvent         boolean                                CUD   All-Day Event
    ActivityDateTime      datetime                               CUN   Due Date Time
    ActivityDate          date                                   CUN   Due Date Only
    DurationInMinutes     int                                    CUN   Duration
    StartDateTime         datetime                               CUN   Start Date Time
    EndDateTime           datetime                               CUN   End Date Time
    EndDate               date                                   N     End Date
    Description           textarea(32000)                        CUN   Description
    AccountId             reference(Account)                     N     Account ID
    OwnerId               reference(User,Calendar)               CUD   Assigned To ID
    Type                  picklist                               CUN   Type
    IsPrivate             boolean                                CUD   Private
    ShowAs                picklist(40)                           CUNDr Show Time As
    IsChild               boolean                                D     Is Child
    IsGroupEvent          boolean                                D     Is Group Event
    IsArchived            boolean                                D     Archived
    IsRecurrence          boolean                       CD    Create Recurring Series of Events
    ReminderDateTime      datetime                               CUN   Reminder Date/Time
    IsReminderSet         boolean                                CUD   Reminder Set
    EventSubtype          picklist(40)                           CNr   Event Subtype
    """,
    picklists={
        "Subject": _SUBJECTS,
        "Type": ("Call", "Email", "Meeting", "Other"),
        "ShowAs": ("Busy", "OutOfOffice", "Free"),
        "EventSubtype": ("Event",),
    },
)

EMAIL = define(
    "EmailMessage 02s Email Message",
    """
    ActivityId            reference(Task)                        CNo   Activity ID
    CreatedByEmail        email                                  Nf    Created By Email
    TextBody              textarea(32000)                        CUN   Text Body
    HtmlBody              textarea(32000)                        CUN   HTML Body
    Subject               string(3000)                           CUNn  Subject
    FromName              string(1000)                           CUN   From Name
    FromAddress           email(1000)                            CUN   From Address
    ToAddress             string(4000)                           CUNf  To Address
    Incoming              boolean                                CUD   Is Incoming
    HasAttachment         boolean                                D     Has Attachment
    Status                picklist(40)                           CUDr  Status
    MessageDate           datetime                               CUN   Message Date
    RelatedToId           reference(Account,Opportunity/Emails)  CUN   Related To ID
    IsTracked             boolean                                CD    Is Tracked
    ThreadIdentifier      string(255)                            CUN   Thread Identifier
    """,
    picklists={"Status": _EMAIL_STATUSES},
)

TASK_RELATION = define(
    "TaskRelation 0RT Task Relation",
    """
    RelationId            reference(Contact,Lead,Account,Opportunity) C  Relation ID
    TaskId                reference(Task/TaskRelations)               C  Task ID
    IsWhat                boolean                                     D  Is What
    AccountId             reference(Account)                          N  Account ID
    """,
    access="CD",
)

EVENT_RELATION = define(
    "EventRelation 0RE Event Relation",
    """
    RelationId            reference(Contact,Lead,User,Account,Opportunity) CU  Relation ID
    EventId               reference(Event/EventRelations)                  C   Event ID
    IsWhat                boolean                                          CUD Is What
    IsParent              boolean                                          CUD Is Parent
    IsInvitee             boolean                                          CUD Is Invitee
    Status                picklist(40)                                     CUNr Status
    AccountId             reference(Account)                               N   Account ID
    """,
    picklists={"Status": ("New", "Declined", "Accepted")},
)

_CHOICE = """
    MasterLabel string(255)  Nn Master Label
    ApiName     string(255)  N  API Name
    SortOrder   int          N  Sort Order
    IsDefault   boolean      D  Is Default
"""

TASK_STATUS = define(
    "TaskStatus 01T Task Status Value",
    _CHOICE + "IsClosed boolean D Is Closed",
    without=("IsDeleted",),
    access="",
)

TASK_PRIORITY = define(
    "TaskPriority 01U Task Priority Value",
    _CHOICE + "IsHighPriority boolean D Is High Priority",
    without=("IsDeleted",),
    access="",
)

OBJECTS = (TASK, EVENT, EMAIL, TASK_RELATION, EVENT_RELATION, TASK_STATUS, TASK_PRIORITY)
