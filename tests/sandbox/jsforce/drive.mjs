// Drives the practice Salesforce with jsforce and prints what it saw as one line of JSON.
import jsforce from 'jsforce';

const [base, key, secret, username, password, deal] = process.argv.slice(2);
const connect = () =>
  new jsforce.Connection({
    loginUrl: base,
    instanceUrl: base,
    version: '64.0',
    oauth2: { loginUrl: base, clientId: key, clientSecret: secret },
  });

const conn = connect();
await conn.authorize({ grant_type: 'client_credentials' });
const bySoap = new jsforce.Connection({ loginUrl: base, version: '64.0' });
const soapUser = await bySoap.login(username, password);
const byPassword = connect();
const passwordUser = await byPassword.loginByOAuth2(username, password);

const listed = await conn.describeGlobal();
const described = await conn.sobject('Opportunity').describe();

let page = await conn.query('SELECT Id FROM Task ORDER BY Id');
const pages = [page.records.length];
const ids = new Set(page.records.map((record) => record.Id));
while (!page.done) {
  page = await conn.queryMore(page.nextRecordsUrl);
  pages.push(page.records.length);
  page.records.forEach((record) => ids.add(record.Id));
}

const found = await conn
  .sobject('Opportunity')
  .find({ IsClosed: false }, ['Id', 'Name', 'Owner.Name'])
  .sort({ CloseDate: -1 })
  .limit(3);

const notes = conn.sobject('Note__c');
const one = await notes.upsert({ Key__c: 'js-1', Kind__c: 'x', Deal__c: deal }, 'Key__c');
const again = await notes.upsert({ Key__c: 'js-1', Kind__c: 'y' }, 'Key__c');
const many = await notes.upsert(
  ['js-1', 'js-2', 'js-3'].map((each) => ({ Key__c: each, Kind__c: 'z', Deal__c: deal })),
  'Key__c',
);
const read = await notes.retrieve(one.id);
const created = await conn.sobject('Task').create({ Subject: 'From jsforce', WhatId: one.id });
await conn.sobject('Task').update({ Id: created.id, Status: 'Completed' });
const task = await conn.sobject('Task').retrieve(created.id);
const removed = await conn.sobject('Task').destroy(created.id);

let refused = null;
try {
  await conn.query('SELECT Whizbang__c FROM Opportunity');
} catch (error) {
  refused = { code: error.errorCode, message: error.message };
}
const limits = await conn.limits();

console.log(
  JSON.stringify({
    users: [conn.userInfo.id, soapUser.id, passwordUser.id],
    objects: listed.sobjects.map((each) => each.name),
    fields: described.fields.map((each) => each.name),
    total: page.totalSize,
    pages,
    distinct: ids.size,
    found: found.map((each) => each.Owner.Name),
    one,
    again,
    many,
    kind: read.Kind__c,
    task: { closed: task.IsClosed, removed: removed.success },
    refused,
    usage: conn.limitInfo.apiUsage,
    left: limits.DailyApiRequests.Remaining,
  }),
);
