"""Names and phrases that the simulated people use."""

FIRST_NAMES = (
    "Ada", "Alan", "Amara", "Ben", "Carla", "Chen", "Dana", "Diego", "Elif", "Emma", "Farid",
    "Grace", "Hana", "Hugo", "Ines", "Ivan", "Jonas", "Julia", "Kofi", "Lena", "Liam", "Maya",
    "Mei", "Nadia", "Noah", "Olga", "Omar", "Paula", "Priya", "Rosa", "Ravi", "Sara", "Sven",
    "Tara", "Tomas", "Uma", "Viktor", "Wanda", "Yusuf", "Zoe",
)  # fmt: skip
LAST_NAMES = (
    "Abbott", "Adeyemi", "Becker", "Bianchi", "Brandt", "Castro", "Chandra", "Cohen", "Diaz",
    "Dubois", "Eriksen", "Farrell", "Fischer", "Garcia", "Gupta", "Haddad", "Hansen", "Ito",
    "Jansen", "Kaya", "Keller", "Kowalski", "Larsen", "Lopez", "Mbeki", "Meyer", "Moreau",
    "Nakamura", "Novak", "Okafor", "Park", "Petrov", "Quinn", "Rossi", "Sato", "Silva",
    "Tanaka", "Turner", "Vogel", "Weber", "Young", "Zhang",
)  # fmt: skip
ACCOUNT_HEADS = (
    "Alder", "Amber", "Aster", "Birch", "Blue", "Bright", "Cedar", "Clear", "Copper", "Delta",
    "Eagle", "Ember", "Falcon", "First", "Frost", "Golden", "Granite", "Green", "Harbor",
    "Hazel", "Iron", "Juniper", "Lake", "Laurel", "Maple", "Mason", "North", "Oak", "Onyx",
    "Orchid", "Pacific", "Pine", "Prairie", "Quarry", "River", "Sage", "Silver", "Stone",
    "Summit", "Sunset", "Thorn", "Union", "Valley", "Willow",
)  # fmt: skip
ACCOUNT_TAILS = (
    "Aerospace", "Analytics", "Bank", "Biotech", "Brands", "Capital", "Care", "Chemicals",
    "Components", "Dynamics", "Energy", "Foods", "Freight", "Group", "Health", "Holdings",
    "Hotels", "Insurance", "Labs", "Logistics", "Machines", "Media", "Metals", "Motors",
    "Networks", "Optics", "Partners", "Pharma", "Plastics", "Power", "Retail", "Robotics",
    "Systems", "Telecom", "Textiles", "Utilities",
)  # fmt: skip
INDUSTRIES = ("Banking", "Energy", "Healthcare", "Manufacturing", "Media", "Retail", "Technology")
TITLES = (
    "Chief Financial Officer", "Chief Information Officer", "VP Operations", "VP Finance",
    "Director of IT", "Director of Procurement", "Head of Data", "Operations Manager",
    "IT Manager", "Project Manager", "Buyer", "Business Analyst", "Systems Engineer",
)  # fmt: skip
CONTACT_ROLES = (
    "Decision Maker", "Economic Buyer", "Business User", "Evaluator", "Influencer", "Other",
)  # fmt: skip
PRODUCTS = ("Planning", "Analytics", "Platform", "Integration", "Support", "Automation", "Data Hub")
NEXT_STEPS = (
    "Demo with the whole team", "Send the proposal", "Meet the CFO", "Agree success criteria",
    "Security review", "Reference call", "Walk through pricing", "Confirm the decision process",
)  # fmt: skip
MEETING_SUBJECTS = (
    "Introduction", "Discovery workshop", "Product demo", "Solution review", "Proposal review",
    "Steering meeting", "Commercial discussion",
)  # fmt: skip
CALL_SUBJECTS = ("Call", "Follow-up call", "Check-in call", "Call about next steps")
EMAIL_SUBJECTS = ("Following up", "Re: our conversation", "Documents", "Re: proposal", "Questions")
TASK_SUBJECTS = ("Prepare the demo", "Send references", "Update the business case", "Call back")
LEAD_SOURCES = ("Outbound", "Referral")
CUSTOMER_SOURCE, IMPORTED_SOURCE = "Existing Customer", "Acquisition"
CONVERTED_SOURCES = ("Web", "Trade Show", "Webinar")
