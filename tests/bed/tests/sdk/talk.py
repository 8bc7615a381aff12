"""Microsoft's SDK, unchanged, against the simulator.

Reads the line of JSON that `bed graph` prints from the environment variable READY, and prints one line of JSON that
says what each step saw. The environment also names the CA.
"""

import asyncio
import json
import os
import time

begun = time.monotonic()

from azure.identity import ClientSecretCredential
from kiota_abstractions.api_error import APIError
from kiota_authentication_azure.azure_identity_authentication_provider import AzureIdentityAuthenticationProvider
from msgraph import GraphRequestAdapter, GraphServiceClient
from msgraph.generated.models.synchronization_job import SynchronizationJob

import_seconds = time.monotonic() - begun


def state(job):
    return [job.schedule.state.value, job.status.code.value]


async def main():
    ready = json.loads(os.environ["READY"])
    demo = ready["demo"]
    credential = ClientSecretCredential(
        demo["tenantId"],
        demo["clientId"],
        demo["clientSecret"],
        authority=ready["login"],
        disable_instance_discovery=True,
    )
    provider = AzureIdentityAuthenticationProvider(
        credential, scopes=[ready["url"] + "/.default"], allowed_hosts=["localhost"]
    )
    adapter = GraphRequestAdapter(provider)
    adapter.base_url = ready["url"] + "/v1.0"
    graph = GraphServiceClient(request_adapter=adapter)
    sync = graph.service_principals.by_service_principal_id(demo["servicePrincipalId"]).synchronization
    seen = {"importSeconds": round(import_seconds, 1)}

    seen["templates"] = [template.id for template in (await sync.templates.get()).value]
    seen["before"] = [job.id for job in (await sync.jobs.get()).value]
    created = await sync.jobs.post(SynchronizationJob(template_id=demo["templateId"]))
    job = sync.jobs.by_synchronization_job_id(created.id)
    seen["created"] = {"id": created.id, "state": state(created)}
    seen["listed"] = [found.id for found in (await sync.jobs.get()).value]
    await job.start.post()
    seen["started"] = state(await job.get())
    await job.pause.post()
    seen["paused"] = state(await job.get())
    seen["rules"] = len((await job.schema.get()).synchronization_rules)
    await job.delete()
    try:
        await job.get()
        seen["afterDelete"] = None
    except APIError as error:
        seen["afterDelete"] = [error.response_status_code, error.error.code]
    credential.close()
    print(json.dumps(seen))


asyncio.run(main())
