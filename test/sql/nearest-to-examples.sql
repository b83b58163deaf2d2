begin read only;
set local role funes_admin;
set local hnsw.ef_search = 100;
set local hnsw.iterative_scan = relaxed_order;
set local hnsw.max_scan_tuples = 5000;
set local plan_cache_mode = force_custom_plan;
set local jit = off;
set local max_parallel_workers_per_gather = 0;

select
  to_json(source.known),
  to_json(source.pending),
  to_json(source.models),
  hit.distance is not null,
  1::text,
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
    select
      known,
      pending,
      models,
      models[1] as embedding_model,
      l2_normalize (
        case
          when away is null then near
          else near + near - away
        end
      ) as vector
    from
      (
        select
          coalesce(array_agg(id::text), '{}') as known,
          coalesce(
            array_agg(id::text) filter (
              where
                vector is null
            ),
            '{}'
          ) as pending,
          coalesce(
            array_agg(distinct embedding_model::text) filter (
              where
                embedding_model is not null
            ),
            '{}'
          ) as models,
          avg(vector) filter (
            where
              id in ($1)
          ) as near,
          avg(vector) filter (
            where
              id in ($2)
          ) as away
        from
          (
            select
              "memories"."id" as id,
              "memories"."embedding" as vector,
              "memories"."embedding_model" as embedding_model
            from
              "memories"
            where
              "memories"."id" in ($3, $4)
          ) example
      ) mean
  ) source
  left join lateral (
    with
      near as materialized (
        select
          "memories"."id",
          "memories"."user_id",
          "memories"."embedding" <=> source.vector as distance
        from
          "memories"
        where
          (
            (
              case
                when "memories"."embedding_model" = source.embedding_model then 1
              end
            ) is not null
            and "memories"."id" not in ($5, $6)
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
              "memories"."embedding" <=> source.vector as distance
            from
              "memories"
            where
              (
                (
                  case
                    when "memories"."embedding_model" = source.embedding_model then 1
                  end
                ) is not null
                and (
                  not (
                    select
                      count(*)
                    from
                      near
                  ) >= $8
                  and "memories"."id" not in ($9, $10)
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
  ) as hit on true
  left join "memories" on (
    "memories"."id" = hit."id"
    and "memories"."user_id" = hit."user_id"
  )
order by
  hit.distance asc,
  "memories"."id" asc;
