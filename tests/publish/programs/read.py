"""Read a repository with each method of the clients, and print the results."""

import datasets
from huggingface_hub import HfApi, HfFileSystem, snapshot_download


def main() -> None:
    datasets.disable_progress_bars()
    api, repo = HfApi(), "harbour/tides"
    print(datasets.load_dataset(repo, revision="v1.0.0", split="train").num_rows)
    print(sum(1 for _ in datasets.load_dataset(repo, split="train", streaming=True)))
    tree = api.list_repo_tree(repo, repo_type="dataset", recursive=True, revision="v1.0.0")
    print(*sorted(one.path for one in tree))
    print(*[one.title for one in api.list_repo_commits(repo, repo_type="dataset")])
    refs = api.list_repo_refs(repo, repo_type="dataset")
    print(*[one.name for one in (*refs.branches, *refs.tags)])
    print(len(HfFileSystem().cat_file(f"datasets/{repo}@v1.0.0/data/a.parquet", start=0, end=4)))
    copy = snapshot_download(repo, repo_type="dataset")
    print(api.verify_repo_checksums(repo, repo_type="dataset", local_dir=copy).mismatches)
    for wrong in ("v9.9.9", "main"):
        try:
            datasets.load_dataset(repo if wrong != "main" else "harbour/nothing", revision=wrong)
        except Exception as error:
            print(type(error).__name__)


if __name__ == "__main__":
    main()
