/** An installation in use: keys in every state that the console can make, and requests of every outcome. */

import type { Api, Session } from './client';

export async function fill(owner: Session, api: Api): Promise<void> {
  const checkout = await owner.createKey({
    name: 'checkout-api',
    scopes: 'orders:read orders:write',
    allowed_ips: '203.0.113.0/24\n2001:db8::/32',
  });
  const nightly = await owner.createKey({ name: 'nightly-export', kind: 'restricted', scopes: 'read', expires: '7' });
  const soon = new Date(Date.now() + 1_000).toISOString().slice(0, 19);
  const old = await owner.createKey({ name: 'old-status-page', kind: 'tenant', scopes: 'read', expires: 'custom', expires_at: soon });
  const long = 'a-service-with-a-very-long-name-that-nobody-would-choose-but-somebody-will-type-into-the-form-one-day';
  await owner.createKey({ name: long.slice(0, 100), scopes: 'read write delete admin contacts:read', expires: 'never' });
  await owner.createKey({ name: 'edge', kind: 'gateway' });
  const gone = await owner.createKey({ name: 'legacy-site' });
  await owner.revoke(gone, 'replaced by checkout-api');

  const call = { method: 'GET', path: '/v2/orders', user_agent: 'checkout/1.4' };
  for (let n = 0; n < 12; n++) await api.verify({ ...call, credential: checkout.secret, ip: `203.0.113.${n}`, path: `/v2/orders/${n}` });
  const path = '/v2/orders/7/and/a/path/that/is/longer/than/its/column';
  await api.verify({ ...call, credential: checkout.secret, ip: '2001:db8:1234:5678:9abc:def0:1234:5678', method: 'DELETE', path, scopes: ['orders:delete'] });
  await api.verify({ ...call, credential: checkout.secret, ip: '198.51.100.7' });
  await api.verify({ ...call, credential: nightly.secret, scopes: ['orders:read'] });
  await api.verify({ ...call, credential: gone.secret });
  await api.verify({ ...call, credential: 'sk_live_typo' });
  await new Promise((done) => setTimeout(done, Math.max(0, Date.parse(`${soon}Z`) + 50 - Date.now())));
  await api.verify({ ...call, credential: old.secret });
}
