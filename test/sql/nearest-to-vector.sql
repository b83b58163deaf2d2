begin read only;
set local role funes_admin;
set local hnsw.ef_search = 100;
set local hnsw.iterative_scan = relaxed_order;
set local hnsw.max_scan_tuples = 5000;
set local plan_cache_mode = force_custom_plan;
set local jit = off;
set local max_parallel_workers_per_gather = 0;

select
  1::bigint::text,
  hit.distance,
  "memories"."id",
  "memories"."user_id",
  "memories"."content",
  "memories"."content_summary",
  "memories"."embedding_model",
  "memories"."embedding_source",
  "memories"."embedding_error",
  "memories"."source",
  "memories"."session_id",
  "memories"."importance_score",
  "memories"."metadata",
  "memories"."idempotency_key",
  "memories"."created_at",
  "memories"."updated_at",
  case
    when "memories"."embedding_error" is not null then 'FAILED'
    when "memories"."embedding" is null then 'PENDING'
    when (
      "memories"."embedding_source" = 'FUNES'
      and "memories"."embedding_model" <> (
        select
          coalesce(generation.next_embedding_model, generation.embedding_model)
        from
          "installation" as generation
        where
          generation.only
      )
    ) then 'STALE'
    else 'READY'
  end
from
  (
    with
      near as materialized (
        select
          "memories"."id",
          "memories"."user_id",
          "memories"."embedding" <=> $1::vector as distance
        from
          "memories"
        where
          (
            case
              when "memories"."embedding_model" = $2::text then 1
            end
          ) is not null
        order by
          distance,
          "memories"."id"
        limit
          $3
      ),
      completed as materialized (
        select
          *
        from
          (
            select
              "memories"."id",
              "memories"."user_id",
              "memories"."embedding" <=> $1::vector as distance
            from
              "memories"
            where
              (
                (
                  case
                    when "memories"."embedding_model" = $2::text then 1
                  end
                ) is not null
                and not (
                  select
                    count(*)
                  from
                    near
                ) >= $4
              )
          ) candidate
        order by
          distance + 0,
          id
        limit
          $5
      ) (
        select
          *
        from
          near
        where
          (
            select
              count(*)
            from
              near
          ) >= $6
        order by
          distance,
          id
        limit
          $7
      )
    union all
    select
      *
    from
      completed
  ) as hit
  inner join "memories" on (
    "memories"."id" = hit."id"
    and "memories"."user_id" = hit."user_id"
  )
where
  1 / (
    select
      (coalesce(embedding_model, $2::text) = $2::text)::int
    from
      installation
  ) = 1
order by
  1::bigint asc,
  hit.distance asc,
  "memories"."id" asc;
