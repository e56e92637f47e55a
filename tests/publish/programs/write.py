"""Create a repository with two commits and a tag."""

import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from huggingface_hub import CommitOperationAdd, CommitOperationCopy, CommitOperationDelete, HfApi
from huggingface_hub.utils import disable_progress_bars


def main() -> None:
    disable_progress_bars()
    api, repo, folder = HfApi(), "harbour/tides", Path(sys.argv[1])
    api.create_repo(repo, repo_type="dataset", exist_ok=True)
    api.create_repo(repo, repo_type="dataset", exist_ok=True)
    table = pa.table({"id": [str(i) for i in range(3000)]})
    pq.write_table(table, folder / "train.parquet", row_group_size=1000)
    files = "[{split: train, path: [data/%s.parquet]}]"
    card = f"---\nconfigs:\n- config_name: default\n  data_files: {files}\n---\n"
    head = api.repo_info(repo, repo_type="dataset").sha
    first = api.create_commit(
        repo,
        repo_type="dataset",
        commit_message="one",
        parent_commit=head,
        operations=[
            CommitOperationAdd("data/a.parquet", str(folder / "train.parquet")),
            CommitOperationAdd("README.md", (card % "a").encode()),
        ],
    )
    api.create_tag(repo, repo_type="dataset", tag="v1.0.0", revision=first.oid)
    api.create_commit(
        repo,
        repo_type="dataset",
        commit_message="two",
        parent_commit=first.oid,
        operations=[
            CommitOperationCopy("data/a.parquet", "data/b.parquet"),
            CommitOperationDelete("data/a.parquet"),
            CommitOperationAdd("README.md", (card % "b").encode()),
        ],
    )
    for again in (
        lambda: api.create_commit(
            repo,
            [CommitOperationAdd("x", b"1")],
            repo_type="dataset",
            commit_message="stale",
            parent_commit=first.oid,
        ),
        lambda: api.create_tag(repo, repo_type="dataset", tag="v1.0.0"),
    ):
        try:
            again()
        except Exception as error:
            print(error.response.status_code)


if __name__ == "__main__":
    main()
