// Drives the practice HubSpot with @hubspot/api-client and prints what it saw as one line of JSON.
import { Client, AssociationTypes } from '@hubspot/api-client';

const [base, token, clientId, clientSecret, refreshToken] = process.argv.slice(2);
const hubspot = new Client({ accessToken: token, basePath: base, numberOfApiCallRetries: 3 });
const { deals, tasks } = { deals: hubspot.crm.deals, tasks: hubspot.crm.objects.tasks };

const signedIn = await new Client({ basePath: base }).oauth.tokensApi.create(
  'refresh_token',
  undefined,
  undefined,
  clientId,
  clientSecret,
  refreshToken,
);

const pages = [];
const ids = new Set();
let after;
do {
  const page = await deals.basicApi.getPage(100, after, ['dealname'], undefined, ['contacts']);
  pages.push(page.results.length);
  page.results.forEach((deal) => ids.add(deal.id));
  after = page.paging?.next?.after;
} while (after);
const withHistory = await deals.basicApi.getPage(50, undefined, undefined, ['closedate']);
const tooMany = await deals.basicApi
  .getPage(51, undefined, undefined, ['closedate'])
  .catch((error) => ({ code: error.code, category: error.body.category }));

const found = await deals.searchApi.doSearch({
  filterGroups: [
    { filters: [{ propertyName: 'hs_is_closed', operator: 'EQ', value: 'false' }] },
  ],
  sorts: ['hs_object_id'],
  properties: ['dealname', 'hs_is_closed'],
  limit: 5,
  after: '0',
});

const deal = found.results[0].id;
const made = await tasks.batchApi.create({
  inputs: [
    {
      objectWriteTraceId: 'one',
      properties: { hs_timestamp: '2030-01-01T00:00:00Z', hs_task_subject: 'From Node' },
      associations: [
        {
          to: { id: deal },
          types: [
            {
              associationCategory: 'HUBSPOT_DEFINED',
              associationTypeId: AssociationTypes.taskToDeal,
            },
          ],
        },
      ],
    },
    { objectWriteTraceId: 'two', properties: { hs_timestamp: 'soon' }, associations: [] },
  ],
});
const linked = await hubspot.crm.associations.v4.batchApi.getPage('deals', 'tasks', {
  inputs: [{ id: deal }],
});
const changed = await deals.batchApi.update({
  inputs: [{ id: deal, properties: { hs_next_step: 'Node calls' } }],
});
const read = await deals.batchApi.read({
  inputs: [{ id: deal }],
  properties: ['hs_next_step'],
  propertiesWithHistory: ['hs_next_step'],
});
await tasks.basicApi.archive(made.results[0].id);
const pipelines = await hubspot.crm.pipelines.pipelinesApi.getAll('deals');
const owners = await hubspot.crm.owners.ownersApi.getPage();
const properties = await hubspot.crm.properties.coreApi.getAll('deals');

// The client waits for the window by itself when it reads HubSpot's words in a 429.
await fetch(`${base}/_sandbox/faults`, {
  method: 'POST',
  body: JSON.stringify([{ kind: '503', path: 'objects/deals', times: 2 }]),
});
const retried = await deals.basicApi.getPage(1);

console.log(
  JSON.stringify({
    expiresIn: signedIn.expiresIn,
    pages,
    distinct: ids.size,
    histories: withHistory.results.map((each) => each.propertiesWithHistory.closedate.length),
    tooMany,
    total: found.total,
    open: found.results.map((each) => each.properties.hs_is_closed),
    sorted: found.results.map((each) => each.id),
    made: made.results.map((each) => each.properties.hs_task_subject),
    failed: made.errors.map((each) => each.context.objectWriteTraceId),
    task: made.results[0].id,
    linked: linked.results[0].to.map((each) => String(each.toObjectId)),
    changed: changed.results[0].properties.hs_next_step,
    history: read.results[0].propertiesWithHistory.hs_next_step.map((each) => each.value),
    pipelines: pipelines.results.map((each) => each.label),
    owners: owners.results.length,
    properties: properties.results.map((each) => each.name),
    retried: retried.results.length,
  }),
);
