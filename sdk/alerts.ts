import { Config, type Input, secret } from "@pulumi/pulumi";
import type { AlertsArgs, SmtpRelayArgs } from "./args.js";
import { isLater } from "./secrets.js";

/** Contacts and the relay's password are secret. The relay is the configuration's (`godwit:smtpUrl`, `godwit:smtpFrom`) where the program names none. */
export function secretAlerts(alerts: Input<AlertsArgs>): Input<AlertsArgs> {
  if (isLater(alerts)) return secret(alerts);
  const smtp = alerts.smtp ?? configuredRelay();
  return {
    ...alerts,
    contacts: secret(alerts.contacts),
    ...(smtp === undefined ? {} : { smtp: isLater(smtp) ? secret(smtp) : { ...smtp, url: secret(smtp.url) } }),
  };
}

function configuredRelay(): SmtpRelayArgs | undefined {
  const config = new Config("godwit");
  const url = config.getSecret("smtpUrl");
  const from = config.get("smtpFrom");
  return url === undefined || from === undefined ? undefined : { url, from };
}
