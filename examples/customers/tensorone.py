"""The Python of the TensorOne page, as it stands there, against a gateway: tensorone.py GATEWAY KEY

The gateway's policy has windows of a few seconds, so that waiting for one is no matter of an hour.
"""
import random
import sys
import time
from functools import lru_cache
from types import SimpleNamespace

import requests as real

gateway, key = sys.argv[1:]
statuses = []


def get(url, **options):
    """Sends a request of the page to the gateway in its place, with the key."""
    url = url.replace("https://api.tensorone.ai", gateway)
    response = real.get(url, headers={"Authorization": f"Bearer {key}"}, timeout=10, **options)
    statuses.append(response.status_code)
    return response


requests = SimpleNamespace(get=get)


def make_request_with_backoff(func, max_retries=5):
    for attempt in range(max_retries):
        try:
            response = func()
            if response.status_code != 429:
                return response
        except Exception as e:
            if attempt == max_retries - 1:
                raise e

        # Exponential backoff with jitter
        delay = (2 ** attempt) + random.uniform(0, 1)
        time.sleep(delay)

    raise Exception("Max retries exceeded")


@lru_cache(maxsize=128)
def get_cluster_info(cluster_id, cache_time):
    # cache_time parameter ensures cache expires
    response = requests.get(f"https://api.tensorone.ai/v2/clusters/{cluster_id}")
    return response.json()


# Use progressive intervals
def wait_for_completion(job_id):
    intervals = [5, 10, 30, 60]  # Progressive backoff
    interval_index = 0

    while True:
        status = get_job_status(job_id)
        if status == 'completed':
            return

        interval = intervals[min(interval_index, len(intervals) - 1)]
        time.sleep(interval)
        interval_index += 1


def get_job_status(job_id):
    response = requests.get(f"https://api.tensorone.ai/v2/training/jobs/{job_id}")
    return "completed" if response.status_code == 200 else "pending"


for _ in range(8):
    response = make_request_with_backoff(lambda: requests.get("https://api.tensorone.ai/v2/projects"))
    assert response.status_code == 200, response.text
assert 429 in statuses, "the limit was never met"

statuses.clear()
current_hour = int(time.time() // 3600)
cluster_info = [get_cluster_info("cluster_123", current_hour) for _ in range(3)]
assert all(info == cluster_info[0] for info in cluster_info) and len(statuses) == 1, statuses

wait_for_completion("job_1")
print("tensorone.py: ok")
