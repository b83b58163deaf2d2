begin read only;
set local role funes_app;
select set_config('funes.user', convert_from(decode('64656661756c745f75736572', 'hex'), 'UTF8'), true);
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
      own as materialized (
        select
          count(*) >= least(greatest(1000, (greatest(pg_relation_size('memories'), 1) / 8192 * 4) / 20), 20000) as broad,
          (greatest(pg_relation_size('memories'), 1) / 8192 * 4) <= 20000 * 20 as share_known
        from
          (
            select
            from
              "memories"
            where
              "memories"."user_id" = $1
            limit
              least(greatest(1000, (greatest(pg_relation_size('memories'), 1) / 8192 * 4) / 20), 20000)
          ) own
      ),
      breadth as materialized (
        select
          count(*) filter (
            where
              (
                "memories"."user_id" = $1
                and (
                  "memories"."source" = $2::text
                  and "memories"."metadata" @> $3::text::jsonb
                )
              )
          ) * 20 * greatest(1, 1.0 * greatest(pg_relation_size('memories'), 1) / (250 * 8192)) >= (greatest(pg_relation_size('memories'), 1) / 8192 * 4) as broad
        from
          "memories" tablesample system (least(100, 100.0 * 250 * 8192 / greatest(pg_relation_size('memories'), 1))) repeatable (0)
      ),
      near as materialized (
        select
          "memories"."id",
          "memories"."user_id",
          "memories"."embedding" <=> $4::vector as distance
        from
          "memories"
        where
          (
            (
              case
                when "memories"."embedding_model" = $5::text then 1
              end
            ) is not null
            and (
              (
                select
                  broad
                from
                  own
              )
              and (
                select
                  broad
                from
                  breadth
              )
              and "memories"."user_id" = $1
              and case
                when (
                  "memories"."source" = $6::text
                  and "memories"."metadata" @> $7::text::jsonb
                ) then true
              end
            )
          )
        order by
          distance,
          "memories"."id"
        limit
          $8
      ),
      completed as materialized (
        select
          *
        from
          (
            select
              "memories"."id",
              "memories"."user_id",
              "memories"."embedding" <=> $4::vector as distance
            from
              "memories"
            where
              (
                (
                  case
                    when "memories"."embedding_model" = $5::text then 1
                  end
                ) is not null
                and (
                  not (
                    select
                      count(*)
                    from
                      near
                  ) >= $9
                  and (
                    "memories"."user_id" = $1
                    and "memories"."id" in (
                      select
                        funes_own_memories_containing ($10::text::jsonb, null)
                    )
                    and (
                      "memories"."source" = $2::text
                      and "memories"."metadata" @> $3::text::jsonb
                    )
                  )
                )
              )
          ) candidate
        order by
          distance + 0,
          id
        limit
          $11
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
          ) >= $12
        order by
          distance,
          id
        limit
          $13
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
      (coalesce(embedding_model, $5::text) = $5::text)::int
    from
      installation
  ) = 1
order by
  1::bigint asc,
  hit.distance asc,
  "memories"."id" asc -- app;
