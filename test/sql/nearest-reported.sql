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
  hit.candidates::float8,
  hit.completed,
  false,
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
      breadth as materialized (
        select
          count(*) filter (
            where
              (
                "memories"."source" = $1::text
                and "memories"."metadata" @> $2::text::jsonb
              )
          ) * 20 >= count(*) as broad
        from
          "memories" tablesample system (least(100, 100.0 * 250 * 8192 / greatest(pg_relation_size('memories'), 1))) repeatable (0)
      ),
      near as materialized (
        select
          "memories"."id",
          "memories"."user_id",
          "memories"."embedding" <=> $3::vector as distance
        from
          "memories"
        where
          (
            (
              case
                when "memories"."embedding_model" = $4::text then 1
              end
            ) is not null
            and (
              (
                select
                  broad
                from
                  breadth
              )
              and case
                when (
                  "memories"."source" = $5::text
                  and "memories"."metadata" @> $6::text::jsonb
                ) then true
              end
            )
          )
        order by
          distance,
          "memories"."id"
        limit
          $7
      ),
      completed as materialized (
        select
          *
        from
          (
            select
              "memories"."id",
              "memories"."user_id",
              "memories"."embedding" <=> $3::vector as distance,
              count(*) over () as candidates,
              true as completed
            from
              "memories"
            where
              (
                (
                  case
                    when "memories"."embedding_model" = $4::text then 1
                  end
                ) is not null
                and (
                  not (
                    select
                      count(*)
                    from
                      near
                  ) >= $8
                  and (
                    "memories"."source" = $1::text
                    and "memories"."metadata" @> $2::text::jsonb
                  )
                )
              )
          ) candidate
        order by
          distance + 0,
          id
        limit
          $9
      ) (
        select
          *,
          (
            select
              count(*)
            from
              near
          ) as candidates,
          false as completed
        from
          near
        where
          (
            select
              count(*)
            from
              near
          ) >= $10
        order by
          distance,
          id
        limit
          $11
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
      (coalesce(embedding_model, $4::text) = $4::text)::int
    from
      installation
  ) = 1
order by
  1::bigint asc,
  hit.distance asc,
  "memories"."id" asc;
